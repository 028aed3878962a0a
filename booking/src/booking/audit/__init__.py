"""Compare journals of the crowd, the database and the payment gateway."""
