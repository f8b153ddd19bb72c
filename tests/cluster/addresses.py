"""Addresses in the cluster's network namespace; the same in every one: none has an uplink."""

from __future__ import annotations

NODE = "real-node"
NODE_ADDRESS = "10.245.0.1"
NODE_PREFIX_BITS = 24
# kube-proxy answers these; the first is the API server's own Service.
SERVICE_RANGE = "10.96.0.0/16"
FIRST_SERVICE_ADDRESS = "10.96.0.1"
POD_RANGE = "10.244.0.0/16"
NODE_POD_RANGE = "10.244.0.0/24"
SIMULATED_POD_RANGE = "10.244.128.0/17"
DOMAIN = "cluster.local"

ETCD_PORT = 2379
API_SERVER_PORT = 6443
API_SERVER = f"https://{NODE_ADDRESS}:{API_SERVER_PORT}"
# The health ports of each program, on the namespace's loopback.
SCHEDULER_PORT = 10259
CONTROLLER_MANAGER_PORT = 10257
KUBELET_HEALTH_PORT = 10248
KUBE_PROXY_HEALTH_PORT = 10256
KWOK_HEALTH_PORT = 10247
DNS_HEALTH_PORT = 8181
