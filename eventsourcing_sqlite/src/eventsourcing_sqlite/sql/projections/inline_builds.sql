-- The builds that are inline.
SELECT name, version FROM projections WHERE inline_from IS NOT NULL;
