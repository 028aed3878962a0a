"""What customers can do, and what the service does by itself."""
