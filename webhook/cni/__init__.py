"""Reads the configurations of network attachments as CNI reads them: plugins, IPAM and addresses."""
