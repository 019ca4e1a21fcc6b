"""The node agent: what a kubelet and kube-proxy do, with a program of this machine in place of each container."""
