"""The parts of the inventory plugin two_sites: everything but its contact with Ansible."""
