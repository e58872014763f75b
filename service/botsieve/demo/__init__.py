"""A shop to protect and clients to protect it from: `make run` and `make attack`.  Nothing of the service imports it."""
