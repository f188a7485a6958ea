-- All but the last one of append_v2; arrays of numbers and of ids come as text, and that of mixed streams as
-- lines.
$1,
$2::text::bigint[],
$3::text::integer[],
string_to_array($4, e'\n'),
$5::text::bigint[],
$6::text::uuid[],
$7,
$8,
$9,
$10,
$11::text::bigint[],
$12
