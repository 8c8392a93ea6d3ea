"""The image: what its Dockerfile says, and what is in it, as far as that can be told without a container engine."""
