"""pnr: a Kubernetes-free GitOps reconciler for Docker."""

__version__ = "0.1.0"
