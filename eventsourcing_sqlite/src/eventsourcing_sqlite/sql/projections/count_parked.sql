-- How many parked keys a segment has, for those that have any.
SELECT low, count(*)
FROM eventsourcing_segments
JOIN eventsourcing_parked_keys ON hash BETWEEN low AND high
GROUP BY low;
