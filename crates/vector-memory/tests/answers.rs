//! What a question is understood as, and what its answer says of itself.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use support::{id, in_memory, person};
use whisperengine_types::{MemoryRecord, Recall, RecallQuery, Timestamp};
use whisperengine_vector_memory::OwnerMemory;

fn on(date: &str) -> Timestamp {
    date.parse().unwrap()
}

/// What a person said, each on a day of its own, in the order of the days.
fn said(texts: &[&str]) -> OwnerMemory {
    let owner = in_memory().owner(&person("ana"));
    let start = on("2026-01-01T12:00:00Z");
    let day = |n: usize| Timestamp::from_millis(start.as_millis() + n as i64 * 86_400_000);
    let records = texts.iter().enumerate().map(|(n, text)| {
        let mut record = MemoryRecord::new(format!("m{n}").parse().unwrap(), *text, day(n));
        record.session = Some(format!("s{n}").parse().unwrap());
        record.speaker = Some("ana".to_owned());
        record
    });
    for stored in owner.remember_all(records) {
        stored.unwrap();
    }
    owner
}

fn ask(owner: &OwnerMemory, text: &str) -> Recall {
    owner
        .recall(&RecallQuery::new(text, 5, on("2026-03-01T12:00:00Z")))
        .unwrap()
}

fn first(recall: &Recall) -> &str {
    &recall.memories[0].memory.text
}

const SMALL_TALK: [&str; 4] = [
    "the tram was late again",
    "soup for dinner, far too salty",
    "my neighbour practises the drums",
    "a quiet evening with a crossword",
];

fn among_small_talk(texts: &[&str]) -> OwnerMemory {
    said(&[texts, &SMALL_TALK].concat())
}

#[test]
fn the_answer_comes_first_however_it_is_asked_for() {
    let check = |memories: &[&str], question: &str, expected: &str| {
        let recall = ask(&among_small_talk(memories), question);
        assert_eq!(first(&recall), expected, "{question}");
    };
    // Names that are common words.
    let will = "Will is my cousin from Leeds";
    check(&[will, "it will be fine"], "Who is Will?", will);
    // Misspelt.
    let birthday = "my birthday is in October";
    check(&[birthday], "when is my brithday", birthday);
    // Likes and dislikes.
    let (likes, dislikes) = (
        "I love eating mangoes, best fruit there is",
        "I can't stand pears, worst fruit there is",
    );
    check(&[likes, dislikes], "What fruit do I like?", likes);
    check(&[likes, dislikes], "What fruit do I not like?", dislikes);
    // Numbers and links to the letter.
    check(
        &["gate code 4471", "gate code 4472"],
        "Where did I use 4472?",
        "gate code 4472",
    );
    let link = "here it is: https://wiki.example.org/plan-b";
    check(&[link, "the plan is fine"], "Do you have the link?", link);
    // Full-width letters, and scripts without spaces.
    check(
        &["my badge is \u{ff21}\u{ff22}\u{ff23}\u{ff11}"],
        "Which badge is ABC1?",
        "my badge is \u{ff21}\u{ff22}\u{ff23}\u{ff11}",
    );
    check(
        &["我养了一只乌龟", "我喜欢下雨天"],
        "我养了什么？乌龟吗",
        "我养了一只乌龟",
    );
    check(
        &["祖母は京都に住んでいます", "雨が降った"],
        "祖母はどこに住んでいますか",
        "祖母は京都に住んでいます",
    );
    check(
        &["우리 할머니는 부산에 살아", "비가 온다"],
        "할머니가 어디 살아?",
        "우리 할머니는 부산에 살아",
    );
    // What was said beside the question adds and does not decide.
    let key = "the cellar key hangs behind the clock";
    check(
        &[key, "it is raining so hard"],
        "It is raining so hard. Where does the cellar key hang?",
        key,
    );
}

#[test]
fn words_of_the_question_decide_and_borrowed_words_add() {
    let owner = among_small_talk(&[
        "I live in Oslo",
        "my cat is sick and does not eat",
        "a bicycle with a basket is what I want",
    ]);
    let mut query = RecallQuery::new("Where do I live?", 5, on("2026-03-01T12:00:00Z"));
    query.context = Some("my cat is sick, the cat does not eat, poor cat".to_owned());
    assert_eq!(first(&owner.recall(&query).unwrap()), "I live in Oslo");
    query.text = "Ok what do you?".to_owned();
    query.context = Some("we talked about a bicycle".to_owned());
    assert_eq!(
        first(&owner.recall(&query).unwrap()),
        "a bicycle with a basket is what I want"
    );
}

#[test]
fn copies_are_one_hit_and_questions_yield_to_statements() {
    let owner = among_small_talk(&[
        "my boat is called Merle",
        "What is my boat called?",
        "what is my boat called",
        "I am so tired today",
        "I am so tired today!",
        "I AM SO TIRED TODAY.",
    ]);
    let recall = ask(&owner, "What is my boat called?");
    assert_eq!(first(&recall), "my boat is called Merle");
    let recall = ask(&owner, "Was I tired?");
    let tired: Vec<_> = recall
        .memories
        .iter()
        .filter(|hit| hit.memory.text.to_lowercase().contains("tired"))
        .collect();
    assert_eq!(tired.len(), 1);
    assert_eq!(tired[0].copies, 2);
    assert!(tired[0].last_copy_at.is_some());
}

#[test]
fn a_reply_of_the_companion_yields_to_what_the_person_said() {
    let owner = among_small_talk(&["the spare fuse lies in the blue tin"]);
    let mut reply = MemoryRecord::new(
        id("r"),
        "You asked where the spare fuse lies.",
        on("2026-02-20T12:00:00Z"),
    );
    reply.speaker = Some("bot".to_owned());
    reply.metadata.insert("reply_to".to_owned(), "m0".into());
    owner.remember(reply).unwrap();
    let recall = ask(&owner, "Where does the spare fuse lie?");
    assert_eq!(first(&recall), "the spare fuse lies in the blue tin");
}

#[test]
fn the_day_asked_for_comes_first_and_a_day_without_memories_says_so() {
    let owner = said(&[
        "went climbing today",
        "baked bread",
        "painted the fence",
        "saw a heron",
    ]);
    let at = |text: &str, zone: Option<&str>| {
        let mut query = RecallQuery::new(text, 2, on("2026-01-04T20:00:00Z"));
        query.zone = zone.map(|zone| zone.parse().unwrap());
        owner.recall(&query).unwrap()
    };
    for (question, expected) in [
        ("What did I do yesterday?", "painted the fence"),
        ("What did I do three days ago?", "went climbing today"),
        ("What did I do on 2.1.2026?", "baked bread"),
        ("Was habe ich vorgestern gemacht?", "baked bread"),
        ("¿Qué hice ayer?", "painted the fence"),
    ] {
        let recall = at(question, None);
        assert_eq!(first(&recall), expected, "{question}");
        assert!(recall.asked_time.unwrap().found, "{question}");
    }
    // In Tokyo it is the fifth already, so yesterday is the fourth.
    assert_eq!(
        first(&at("What did I do yesterday?", Some("Asia/Tokyo"))),
        "saw a heron"
    );
    assert!(!at("What did I do last week?", None).asked_time.unwrap().found);
    assert_eq!(at("What did I paint?", None).asked_time, None);
}

#[test]
fn relevance_tells_an_answer_from_the_best_of_nothing() {
    let owner = among_small_talk(&["my sister is called Ines"]);
    let known = ask(&owner, "What is my sister called?");
    assert!(known.is_relevant(), "{}", known.memories[0].relevance);
    let unknown = ask(&owner, "Which blood group does Roderick have?");
    assert!(!unknown.is_relevant(), "{}", unknown.memories[0].relevance);
    let mut query = RecallQuery::new(
        "Which blood group does Roderick have?",
        5,
        on("2026-03-01T12:00:00Z"),
    );
    query.min_relevance = 0.5;
    assert!(owner.recall(&query).unwrap().memories.is_empty());
    let evidence = owner.evidence(&query).unwrap();
    assert_eq!(evidence.len(), 5, "evidence is not filtered");
    assert_eq!(evidence[0].1.unknown_names, 1.0);
    for hits in [known, unknown] {
        let relevances = hits.memories.iter().map(|hit| hit.relevance);
        assert!(
            relevances
                .into_iter()
                .all(|relevance| (0.0..=1.0).contains(&relevance))
        );
    }
}

#[test]
fn a_long_memory_names_the_passage_that_matched() {
    let filler = "We talked about the garden for a while and had tea. ".repeat(10);
    let text = format!("{filler}The clockmaker wants three hundred for the pendulum. {filler}");
    let recall = ask(
        &among_small_talk(&[&text]),
        "What does the clockmaker want for the pendulum?",
    );
    let hit = &recall.memories[0];
    assert!(
        hit.passage_text().contains("three hundred"),
        "{}",
        hit.passage_text()
    );
    assert!(hit.passage_text().len() < 400);
    let short = ask(&among_small_talk(&["a short line"]), "the short line");
    assert_eq!(short.memories[0].passage, None);
}
