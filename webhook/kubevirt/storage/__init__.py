"""The storage behind a VM's claims, and migrations to other claims."""
