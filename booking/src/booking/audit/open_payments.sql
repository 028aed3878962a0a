SELECT merchant_reference,
       state IN ('started', 'unknown', 'refunding') AS unsettled
FROM payments
WHERE state IN ('started', 'unknown', 'refunding')
   OR ask_after IS NOT NULL;
