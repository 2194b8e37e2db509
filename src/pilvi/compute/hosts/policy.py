"""An agent speaks for its own host and for nothing else."""

from pilvi.kernel.policy import Rule, the_host

STATE = Rule("pilvi:agent:state", the_host, "Read what a host should do.")
REPORT = Rule("pilvi:agent:report", the_host, "Report what is on a host.")
