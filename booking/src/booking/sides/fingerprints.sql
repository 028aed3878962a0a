SELECT bookings.idempotency_key,
       concat_ws(' ', bookings.booking_number, bookings.state, bookings.request_digest) AS fingerprint
FROM bookings;
