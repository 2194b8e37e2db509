"""Why: from an id, a name, a request, a host or a work key to cause, consequence, remedy, and who can do it.

Reads only: the rows as they are, the events of the operations, the hosts. The first line names the cause.
"""
