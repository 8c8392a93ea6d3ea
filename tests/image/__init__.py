"""The image: its Dockerfile, and its content as far as it can be tested without a container engine."""
