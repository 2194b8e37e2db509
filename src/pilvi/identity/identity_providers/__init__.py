"""Identity providers outside, and the protocols with which their users come in (OS-FEDERATION)."""
