-- Let nobody work on the live build for so many seconds.
UPDATE projections
SET switching_until = (julianday('now') - 2440587.5) * 86400.0 + :seconds
WHERE name = :name AND version = :version AND state = 'live';
