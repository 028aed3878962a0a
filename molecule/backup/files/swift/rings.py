"""Make the rings of a Swift with one device and one copy."""

from swift.common.ring import RingBuilder

for name, port in (("account", 6202), ("container", 6201), ("object", 6200)):
    builder = RingBuilder(4, 1, 1)
    place = {"ip": "127.0.0.1", "port": port, "replication_ip": "127.0.0.1", "replication_port": port}
    builder.add_dev({"region": 1, "zone": 1, "device": "d1", "weight": 1.0, "meta": "", **place})
    builder.rebalance()
    builder.get_ring().save(f"/etc/swift/{name}.ring.gz")
