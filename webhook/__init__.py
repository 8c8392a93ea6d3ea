"""Will KubeVirt be able to live-migrate this virtual machine, and are the cluster's migration settings sound?"""

__version__ = "0.2.0"
