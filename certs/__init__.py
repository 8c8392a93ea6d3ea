"""Issues and rotates serving certificates. This package and ``webhook`` never import each other."""
