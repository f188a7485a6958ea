-- All but the last one of append_v1; arrays of numbers and of ids come as text.
$1,
$2::text::bigint[],
$3::text::integer[],
$4::text::integer[],
$5::text::integer[],
$6::text::uuid[],
$7,
$8,
$9,
$10,
$11::text::bigint[],
$12
