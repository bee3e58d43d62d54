//! What a message says of its writer that is worth keeping.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use whisperengine_types::*;

fn facts(text: &str) -> Vec<PersonalityFact> {
    Talk::new("ana").say_with(text, &EmotionReading::neutral()).facts
}

#[test]
fn what_is_about_the_talk_is_found_by_its_cues() {
    use FactKind as K;
    let cases = [
        (K::EmotionalInsight, "I feel sad because of the move."),
        (K::CommunicationPref, "Please be more brief in your answers."),
        (K::RelationshipBuilding, "Thank you, that means a lot."),
        (K::SupportOpportunity, "I am stuck and need advice."),
        (K::HumorStyle, "haha just kidding"),
        (K::LearningStyle, "I study with flash cards for my exam."),
        (
            K::PersonalityTrait,
            "I'm the kind of person who plans everything.",
        ),
        (K::ValueSystem, "Honesty is important to me."),
        (K::ConversationCatalyst, "Do you know how tides work?"),
        (K::SharedMemory, "Remember when we talked of the comet?"),
        (K::GrowthMoment, "I realized that I can say no."),
        (K::TrustIndicator, "I can tell you anything."),
        (K::BoundaryPreference, "I don't want to talk about my father."),
        (K::ExpertiseArea, "I have years of experience with boats."),
        (K::KnowledgeGap, "I don't know how to solder."),
        (K::SkillDevelopment, "I started learning Spanish."),
        (K::Achievement, "I won the regatta."),
    ];
    for (kind, text) in cases {
        let facts = facts(text);
        let fact = facts.iter().find(|fact| fact.kind == kind);
        assert!(
            fact.is_some_and(|fact| !fact.cue.is_empty()),
            "{kind:?} in {text}: {facts:?}"
        );
        for fact in &facts {
            assert!((0.0..=1.0).contains(&fact.relevance));
            assert_eq!(fact.band, RelevanceBand::of(fact.relevance));
        }
    }
    assert_eq!(
        cases.len(),
        FactKind::ALL.len() - 3,
        "the rest comes from the profile"
    );
    for text in ["The prefix is short.", "You won the regatta.", ""] {
        assert_eq!(facts(text), [], "{text}");
    }
}

fn known(slot: Slot, quote: &str, source: MemoryId) -> Fact {
    Fact {
        quote: quote.into(),
        ..Fact::new(slot, "value", source, Timestamp::default())
    }
}

#[test]
fn circumstances_interests_and_aims_come_from_the_profile_with_their_quote() {
    let cases = [
        (Slot::Residence, FactKind::LifeContext),
        (Slot::Occupation, FactKind::LifeContext),
        (Slot::Hobby, FactKind::InterestDiscovery),
        (Slot::Goal, FactKind::Aspiration),
    ];
    for (slot, kind) in cases {
        let mut talk = Talk::new("ana");
        let quote = "I moved to Porto.";
        talk.facts = vec![
            known(slot, quote, MemoryId::from_number(1)),
            known(slot, "An older message.", MemoryId::from_number(77)),
        ];
        let plan = talk.say("The weather is odd. I moved to Porto.");
        let found: Vec<_> = plan
            .facts
            .iter()
            .map(|fact| (fact.kind, fact.text.as_str(), fact.cue.as_str()))
            .collect();
        assert_eq!(found, [(kind, quote, slot.name())]);
    }
}

#[test]
fn a_fact_is_the_sentence_that_says_it() {
    let facts = facts("The weather is odd. I won the regatta! Do you know how tides work?");
    let of = |kind| facts.iter().find(|fact| fact.kind == kind).unwrap();
    assert_eq!(of(FactKind::Achievement).text, "I won the regatta!");
    assert_eq!(
        of(FactKind::ConversationCatalyst).text,
        "Do you know how tides work?"
    );
    assert!(facts.is_sorted_by(|a, b| a.relevance >= b.relevance));
}

#[test]
fn relevance_bands_have_the_documented_borders() {
    let cases = [
        (0.95, RelevanceBand::Critical),
        (0.9, RelevanceBand::Critical),
        (0.7, RelevanceBand::High),
        (0.5, RelevanceBand::Moderate),
        (0.3, RelevanceBand::Low),
        (0.29, RelevanceBand::Minimal),
    ];
    for (relevance, band) in cases {
        assert_eq!(RelevanceBand::of(relevance), band);
    }
}
