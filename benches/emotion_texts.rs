//! Chat comments of about 70 bytes, made from parts with a fixed seed.

const OPENINGS: &[&str] = &[
    "I really think",
    "honestly,",
    "lol",
    "My sister said",
    "Not gonna lie,",
    "well",
    "OMG",
    "so basically",
    "I don't know if",
    "yesterday",
    "wow,",
    "This is why",
];
const MIDDLES: &[&str] = &[
    "the new update is amazing",
    "our train was late again",
    "nobody likes the way it ends",
    "I'm so proud of my team",
    "you can't be serious",
    "that was the worst meal ever",
    "she never gave up",
    "it kind of works for me",
    "he's a great teacher but a terrible cook",
    "we lost everything in the move",
    "the keyboard is on the table",
    "I LOVE this song",
];
const ENDINGS: &[&str] = &[
    "!",
    "...",
    " :)",
    " and I can't wait to see more.",
    ", thank you so much!",
    "? What happened next?",
    " \u{1f602}\u{1f602}",
    " for no good reason.",
    ", which is fine I guess",
    "!!!",
    " at least today.",
    "",
];

/// `count` comments, all different.
pub fn comments(count: usize) -> Vec<String> {
    let mut state = 42_u64;
    let mut pick = |parts: &[&'static str]| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        parts[(state >> 33) as usize % parts.len()]
    };
    (0..count)
        .map(|number| {
            let (opening, middle, ending) = (pick(OPENINGS), pick(MIDDLES), pick(ENDINGS));
            format!("{opening} {middle}{ending} That is take {number} of mine")
        })
        .collect()
}
