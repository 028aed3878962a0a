SELECT booking_number, idempotency_key FROM bookings WHERE booking_number = ANY(%(numbers)s);
