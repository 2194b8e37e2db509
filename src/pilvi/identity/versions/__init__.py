"""Version documents and the JSON home of the API."""
