SELECT bookings.idempotency_key,
       concat_ws(' ', bookings.booking_number, bookings.state, bookings.request_digest) AS fingerprint
FROM bookings
JOIN payments ON payments.booking_id = bookings.id
WHERE greatest(bookings.created_at, bookings.confirmed_at, bookings.cancelled_at, payments.changed_at) >= %(since)s;
