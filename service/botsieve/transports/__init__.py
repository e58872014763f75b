"""The edges: HTTP for nginx and for forward authentication, gRPC.  Each parses, asks the service, and renders its answer."""
