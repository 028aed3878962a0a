"""The lab: two sites, a witness and their customers on one Debian machine."""
