"""Other clouds that users of this one may go to."""
