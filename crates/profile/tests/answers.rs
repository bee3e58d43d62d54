//! Questions about what is known.

mod common;

use common::{day, person, said};
use whisperengine_profile::Asked;

const TALK: &[&str] = &[
    "I live in Hamburg",
    "I moved to Munich",
    "I'm allergic to penicillin",
    "my brother Emil is a nurse",
    "my sister Astrid lives in Kiel",
    "my parrot Koko bit me",
    "we adopted a puppy, his name is Otto",
    "I love mushrooms",
    "I can't stand olives",
    "my birthday is on June 8",
    "I don't have kids",
    "my locker code is 7731",
    "my favorite movie is Alien",
    "I work as a florist",
    "my colleague Anna is from Porto",
    "my cousin Anna is a dentist in Leeds",
];

#[track_caller]
fn check(question: &str, expected: &[&str]) {
    let answer = person("en", TALK).answer(&said(99, question, day(60), "en"));
    let facts = answer.map(|answer| answer.facts).unwrap_or_default();
    let values: Vec<&str> = facts.iter().map(|fact| fact.value.as_str()).collect();
    assert_eq!(values, expected, "{question}");
}

#[test]
fn questions_find_their_facts() {
    check("where do I live?", &["Munich"]);
    check("where did I live before?", &["Hamburg"]);
    check("what am I allergic to?", &["penicillin"]);
    check("what's my brother's name?", &["Emil"]);
    check("who are my siblings?", &["Emil", "Astrid"]);
    check("list my pets", &["Koko", "Otto"]);
    check("what's my dog called?", &["Otto"]);
    check("which food do I dislike?", &["olives"]);
    check("what do I like?", &["mushrooms", "Alien"]);
    check("when is my birthday?", &["June 8"]);
    check("what's my locker code again?", &["7731"]);
    check("what's my favorite movie?", &["Alien"]);
    check("what do I do for work?", &["florist"]);
    check("where does my colleague Anna come from?", &["Anna"]);
    check("who is Astrid?", &["Astrid"]);
    check("what's my blood type?", &[]);
    check("how are you?", &[]);
}

#[test]
fn an_answer_knows_that_there_is_none() {
    let answer = person("en", TALK)
        .answer(&said(99, "do I have kids?", day(60), "en"))
        .unwrap();
    assert!(answer.is_none);
}

#[test]
fn when_is_asked_for() {
    let answer = person("en", TALK)
        .answer(&said(99, "when did I move?", day(60), "en"))
        .unwrap();
    assert_eq!((answer.asked, answer.facts[0].since), (Asked::When, day(1)));
}
