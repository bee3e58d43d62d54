//! What is found first, and why.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{sync::Arc, time::Duration};

use support::{at, id, in_memory, person, record};
use whisperengine_types::{Filter, MemoryPatch, MemoryRecord, Recall, RecallQuery, Timestamp};
use whisperengine_vector_memory::{OwnerMemory, VectorMemory, VectorMemoryConfig};

fn said(name: &str, speaker: &str, text: &str, minute: i64) -> MemoryRecord {
    let mut record = record(name, text);
    record.speaker = Some(speaker.to_owned());
    record.session = Some("s1".parse().unwrap());
    record.sent_at = at(minute);
    record
}

fn owner_with(records: Vec<MemoryRecord>) -> OwnerMemory {
    let owner = in_memory().owner(&person("ana"));
    for result in owner.remember_all(records) {
        result.unwrap();
    }
    owner
}

fn ask(owner: &OwnerMemory, text: &str) -> Recall {
    owner.recall(&RecallQuery::new(text, 10, at(100))).unwrap()
}

fn first(recall: &Recall) -> &str {
    recall.memories[0].memory.id.as_str()
}

#[test]
fn the_answer_next_to_the_words_asked_for_is_found() {
    let mut records: Vec<MemoryRecord> = (0..30)
        .map(|n| record(&format!("x{n}"), &format!("nothing about it {n}")))
        .collect();
    records.push(said(
        "question",
        "Bo",
        "which instrument do you play in the orchestra",
        50,
    ));
    records.push(said("answer", "Ana", "the cello", 51));
    let owner = owner_with(records);
    let recall = ask(&owner, "Which instrument is played in the orchestra?");
    let found: Vec<&str> = recall
        .memories
        .iter()
        .take(2)
        .map(|hit| hit.memory.id.as_str())
        .collect();
    // What only asks yields to what lies beside it.
    assert_eq!(found, ["answer", "question"]);
    let answer = &recall.memories[0].parts;
    assert!(answer.neighbours > answer.dense + answer.lexical);
}

#[test]
fn who_is_asked_about_counts_and_their_name_misleads_nobody() {
    let owner = owner_with(vec![
        said("a", "Ana", "I adopted a puppy", 0),
        said("b", "Bo", "I adopted a puppy", 1),
        said("c", "Bo", "Ana Ana Ana", 2),
    ]);
    let recall = ask(&owner, "When did Ana adopt a puppy?");
    assert_eq!(first(&recall), "a");
    assert!(recall.memories[0].parts.speaker > 0.0);
    assert_eq!(recall.memories[0].matched_terms, ["adopt", "puppy"]);
}

#[test]
fn dates_in_the_question_and_times_told_count() {
    let on = |date: &str| date.parse::<Timestamp>().unwrap();
    let mut records = Vec::new();
    for (name, text, date) in [
        ("january", "we went camping", "2023-01-10T00:00:00Z"),
        ("july", "we went camping", "2023-07-10T00:00:00Z"),
        (
            "told",
            "last month we went camping by the river",
            "2023-08-20T00:00:00Z",
        ),
        ("december", "we went camping", "2023-12-10T00:00:00Z"),
    ] {
        let mut record = record(name, text);
        record.sent_at = on(date);
        records.push(record);
    }
    let owner = owner_with(records);
    let question = RecallQuery::new(
        "Where did they go camping in July 2023?",
        2,
        on("2024-01-01T00:00:00Z"),
    );
    let recall = owner.recall(&question).unwrap();
    let mut found: Vec<&str> = recall.memories.iter().map(|hit| hit.memory.id.as_str()).collect();
    found.sort_unstable();
    assert_eq!(found, ["july", "told"]);
}

#[test]
fn importance_trust_and_recency_break_ties_and_pins_do_not_fade() {
    let year = Duration::from_secs(400 * 86_400);
    let with = |name: &str, change: fn(&mut MemoryRecord)| {
        let mut record = record(name, "tea in the garden");
        // Of one speaker they were copies.
        record.speaker = Some(name.to_owned());
        change(&mut record);
        record
    };
    let owner = owner_with(vec![
        with("plain", |_| {}),
        with("important", |record| record.importance = 0.9),
        with("hearsay", |record| record.trust = 0.2),
        with("old", |record| record.sent_at = at(-1_000_000)),
    ]);
    let order: Vec<String> = ask(&owner, "tea garden")
        .memories
        .iter()
        .map(|hit| hit.memory.id.to_string())
        .collect();
    assert_eq!(order, ["important", "plain", "old", "hearsay"]);
    let prior = |owner: &OwnerMemory| {
        let recall = owner
            .recall(&RecallQuery::new("tea garden", 10, at(0) + year))
            .unwrap();
        let hit = recall
            .memories
            .iter()
            .find(|hit| hit.memory.id == id("important"))
            .unwrap()
            .clone();
        hit.parts.prior
    };
    let faded = prior(&owner);
    owner.pin(&id("important")).unwrap();
    let pinned = prior(&owner);
    assert!(pinned > faded && faded > 0.0, "{pinned} {faded}");
    // Decay is capped: not even a hundred years take more than half.
    let recall = owner
        .recall(&RecallQuery::new("tea garden", 10, at(0) + year * 100))
        .unwrap();
    assert_eq!(first(&recall), "important");
    owner.unpin(&id("important")).unwrap();
    assert_eq!(owner.stats().unwrap().pinned, 0);
    owner
        .update(
            &id("important"),
            MemoryPatch {
                importance: Some(0.0),
                ..MemoryPatch::default()
            },
        )
        .unwrap();
    assert_eq!(first(&ask(&owner, "tea garden")), "plain");
}

#[test]
fn a_long_text_is_found_by_its_parts_and_returned_once() {
    let filler = "We talked about the weather and the garden for a long while. ".repeat(30);
    let long = format!("{filler}The password of the vault is swordfish. {filler}");
    let mut records = vec![record("long", &long)];
    records.extend((0..20).map(|n| record(&format!("short{n}"), &format!("weather garden talk {n}"))));
    let owner = owner_with(records);
    let stats = owner.stats().unwrap();
    assert_eq!(stats.memories, 21);
    assert!(stats.rows > 25, "{stats:?}");
    let recall = ask(&owner, "password of the vault");
    assert_eq!(first(&recall), "long");
    assert_eq!(
        recall
            .memories
            .iter()
            .filter(|hit| hit.memory.id == id("long"))
            .count(),
        1
    );
    assert_eq!(recall.memories[0].memory.text, long);
    assert!(owner.get(&id("long")).unwrap().unwrap().embedding.is_some());
}

#[test]
fn words_of_like_meaning_match_where_there_is_a_word_embedder() {
    #[derive(Debug)]
    struct Animals(support::WordEmbedder);
    impl whisperengine_types::Embedder for Animals {
        fn space(&self) -> &whisperengine_types::EmbeddingSpace {
            self.0.space()
        }
        fn embed_batch(
            &self,
            texts: &[&str],
        ) -> Result<Vec<whisperengine_types::Embedding>, whisperengine_types::EmbeddingError> {
            let same: Vec<&str> = texts
                .iter()
                .map(|&word| if word == "poodle" { "dog" } else { word })
                .collect();
            self.0.embed_batch(&same)
        }
    }
    let memory = VectorMemory::in_memory(support::embedder(), VectorMemoryConfig::default())
        .with_word_embedder(Arc::new(Animals(support::WordEmbedder::new(64))));
    let owner = memory.owner(&person("ana"));
    owner.remember(record("poodle", "my poodle sleeps")).unwrap();
    owner.remember(record("cactus", "my cactus grows")).unwrap();
    let recall = ask(&owner, "dog");
    assert_eq!(first(&recall), "poodle");
    assert!(recall.memories[0].parts.lexical > recall.memories[1].parts.lexical);
}

#[test]
fn filters_hold_before_ranking_and_lend_no_score() {
    let owner = owner_with(
        (0..40)
            .map(|n| said(&format!("m{n}"), "Ana", &format!("topic {n}"), n))
            .collect(),
    );
    let mut query = RecallQuery::new("topic 7", 10, at(0));
    query.filter = Filter::SentAt {
        from: Some(at(20)),
        until: None,
    };
    let recall = owner.recall(&query).unwrap();
    assert_eq!(recall.memories.len(), 10);
    assert!(recall.memories.iter().all(|hit| hit.memory.sent_at >= at(20)));
}

#[test]
fn odd_questions_are_answered_or_refused() {
    let owner = owner_with(vec![record("m", "text")]);
    for text in ["", "   "] {
        assert!(owner.recall(&RecallQuery::new(text, 3, at(0))).is_err());
    }
    for text in [
        "?",
        "the of and",
        "\u{1f600}",
        "\u{202e}abc",
        &"word ".repeat(5000),
    ] {
        assert_eq!(
            owner
                .recall(&RecallQuery::new(text, 3, at(0)))
                .unwrap()
                .memories
                .len(),
            1,
            "{text:.20}"
        );
    }
    assert_eq!(
        owner
            .recall(&RecallQuery::new("text", 0, at(0)))
            .unwrap()
            .memories
            .len(),
        0
    );
    assert_eq!(
        owner
            .recall(&RecallQuery::new("text", usize::MAX, at(0)))
            .unwrap()
            .memories
            .len(),
        1
    );
    let nobody = in_memory().owner(&person("nobody"));
    assert_eq!(
        nobody.recall(&RecallQuery::new("text", 3, at(0))).unwrap(),
        Recall::default()
    );
}

#[test]
fn each_memory_comes_back_with_its_own_session_and_channel() {
    let places = [
        (Some("s1"), Some("general")),
        (Some("s1"), None),
        (None, Some("general")),
        (Some("s2"), Some("music")),
        (None, None),
        (Some("s2"), Some("general")),
    ];
    let records = places.iter().enumerate().map(|(n, (session, channel))| {
        let mut record = record(&format!("m{n}"), &format!("we talked about the lighthouse {n}"));
        record.session = session.map(|name| name.parse().unwrap());
        record.channel = channel.map(|name| name.parse().unwrap());
        record.sent_at = at(n as i64);
        record
    });
    let stored: Vec<MemoryRecord> = records.collect();
    let recall = ask(&owner_with(stored.clone()), "the lighthouse");
    assert_eq!(recall.memories.len(), stored.len());
    for record in &stored {
        let found = recall.memories.iter().find(|hit| hit.memory.id == record.id);
        assert_eq!(*found.unwrap().memory, *record);
    }
}
