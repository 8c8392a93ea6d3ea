"""Network attachment configurations: plugins, IPAM and addresses, as CNI reads them."""
