"""The number that changes whenever rights may have changed; what is cached is valid for one number only."""
