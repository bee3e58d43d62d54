//! New values end old ones, endings end them, corrections replace them, deletions bring them back.

mod common;

use std::time::Duration;

use common::{day, id, in_force, person, said};
use whisperengine_profile::{FactChange, Profile, Speaker};
use whisperengine_types::{Audience, AudienceId, Fact, FactSource, Slot};

#[track_caller]
fn holds(lines: &[&str], expected: &[&str]) {
    let found = in_force(&person("en", lines), day(lines.len() as i64));
    assert_eq!(found, expected, "after {lines:?}");
}

#[test]
fn a_new_value_ends_the_old_one() {
    holds(
        &["I live in Hamburg", "I moved to Munich"],
        &["residence = Munich"],
    );
    holds(
        &[
            "my number is 040 555 0182",
            "I've got a new phone number: 050 555 7719",
        ],
        &["phone = 050 555 7719"],
    );
    holds(
        &[
            "I work as a barista at the Blue Kettle",
            "I quit the café and started as a bus driver today",
        ],
        &["occupation = bus driver"],
    );
    holds(
        &["my favorite color is teal", "my favorite color is green"],
        &["like = green (favorite color)"],
    );
    holds(&["I love coffee", "I hate coffee"], &["dislike = coffee"]);
}

#[test]
fn what_is_said_again_is_there_once() {
    holds(
        &["I live in Oslo", "as I said, I live in Oslo", "I live in oslo"],
        &["residence = Oslo"],
    );
    holds(&["I have a cat", "my cat Miso sleeps"], &["pet = Miso (cat)"]);
}

#[test]
fn endings_end() {
    holds(
        &["our dog Pepper can open doors", "Pepper died this morning"],
        &["pet = not Pepper (died)"],
    );
    holds(
        &["I have two cats, Miso and Nori", "Nori passed away"],
        &["pet = Miso (cats)", "pet = not Nori (died)"],
    );
    holds(
        &["my girlfriend Nadia and I went out", "Nadia and I broke up."],
        &["relationship = single"],
    );
    holds(
        &["I have a car", "I sold my car"],
        &["possession = not car (sold)"],
    );
    holds(
        &["I work at Nordea", "I quit my job"],
        &["occupation = not  (left)", "employer = not  (left)"],
    );
    holds(
        &["I'm allergic to cats", "turns out I'm not allergic to cats"],
        &["allergy = not cats"],
    );
}

#[test]
fn plans_have_an_outcome() {
    holds(
        &[
            "I'm running the harbor half marathon on March 15",
            "couldn't run the half marathon",
        ],
        &["plan = not half marathon (called off)"],
    );
    holds(
        &["we're flying to Samoa in February", "Samoa is cancelled"],
        &["plan = not Samoa (called off)"],
    );
}

#[test]
fn corrections_replace() {
    let soon = |lines: [&str; 2]| {
        let mut profile = Profile::new();
        for (n, line) in lines.iter().enumerate() {
            profile.learn(&said(
                n as u64 + 1,
                line,
                day(0) + Duration::from_secs(n as u64 * 60),
                "en",
            ));
        }
        in_force(&profile, day(1))
    };
    assert_eq!(
        soon(["the rehearsal is on Tuesday at seven", "no, I meant Thursday"]),
        ["plan = rehearsal (Thursday)"]
    );
    assert_eq!(
        soon(["my sister's name is Lenna", "sorry, it's Lena with one n"]),
        ["sibling = Lena (sister)"]
    );
    assert_eq!(
        soon(["my niece is four", "wait, five"]),
        ["relative = niece (niece): five"]
    );
    assert_eq!(
        soon(["I live in Bern", "sorry, not Bern, Basel"]),
        ["residence = Basel"]
    );
    holds(
        &[
            "my mechanic is called Stevens",
            "it's dull",
            "sorry: the mechanic's name is Stephenson, not Stevens",
        ],
        &["contact = Stephenson (mechanic)"],
    );
}

#[test]
fn temporary_facts_end_by_themselves() {
    let profile = person("en", &["I live in Oslo", "I'm in Paris this week"]);
    assert_eq!(
        in_force(&profile, day(1)),
        ["residence = Oslo", "whereabouts = Paris"]
    );
    assert_eq!(in_force(&profile, day(30)), ["residence = Oslo"]);
    assert_eq!(profile.superseded_sources(day(30)), [id(2)]);
}

#[test]
fn dates_say_since_when() {
    let profile = person("en", &["I moved to Munich in 2019"]);
    assert!(
        profile.facts_in_force(day(0))[0]
            .since
            .to_string()
            .starts_with("2019-01-01")
    );
}

#[test]
fn deletion_brings_back_what_was_ended() {
    let mut profile = person("en", &["I live in Oslo", "I moved to Bergen", "I moved to Turku"]);
    let changes = profile.forget_source(&id(3));
    assert!(
        matches!(&changes[..], [FactChange::Removed(_), FactChange::Restored(back)] if back.value == "Bergen")
    );
    profile.forget_source(&id(1));
    assert_eq!(in_force(&profile, day(9)), ["residence = Bergen"]);
    profile.forget_source(&id(2));
    assert!(profile.is_empty());
}

#[test]
fn deletion_in_the_middle_leaves_the_order() {
    let mut profile = person("en", &["I live in Oslo", "I moved to Bergen", "I moved to Turku"]);
    profile.forget_source(&id(2));
    assert_eq!(in_force(&profile, day(9)), ["residence = Turku"]);
    assert_eq!(profile.history(Slot::Residence).count(), 2);
    assert_eq!(
        profile.recently_ended(day(9), Duration::from_secs(30 * 86_400))[0].value,
        "Oslo"
    );
}

#[test]
fn private_facts_stay_private() {
    let guild = Audience::Group(AudienceId::new("guild").unwrap());
    let mut profile = person("en", &["my locker code is 7731"]);
    let mut public = said(2, "I live in Oslo", day(1), "en");
    public.audience = guild.clone();
    profile.learn(&public);
    let facts = profile.facts_for(day(2), &guild);
    assert_eq!(
        facts.iter().map(|fact| fact.slot).collect::<Vec<_>>(),
        [Slot::Residence]
    );
    assert_eq!(profile.facts_in_force(day(2)).len(), 2);
    let mut question = said(3, "what is my locker code?", day(2), "en");
    question.audience = guild;
    assert_eq!(profile.answer(&question), None);
}

#[test]
fn nothing_is_learned_from_a_crisis_or_others() {
    let mut profile = Profile::new();
    let mut statement = said(1, "I live in Oslo", day(0), "en");
    statement.crisis = true;
    assert!(profile.learn(&statement).is_empty());
    statement.crisis = false;
    statement.speaker = Speaker::Other;
    assert!(profile.learn(&statement).is_empty());
    assert!(profile.is_empty());
}

#[test]
fn apps_set_end_and_confirm() {
    let mut profile = person("en", &["I live in Oslo"]);
    let mut fact = Fact::new(Slot::Residence, "Bergen", id(7), day(1));
    fact.told_by = FactSource::App;
    profile.set_fact(fact);
    assert_eq!(in_force(&profile, day(2)), ["residence = Bergen"]);
    assert!(profile.confirm(Slot::Residence, "bergen", day(2)));
    assert_eq!(
        profile.end_fact(Slot::Residence, "Bergen", &id(8), day(3)).len(),
        1
    );
    assert!(profile.facts_in_force(day(4)).is_empty());
}
