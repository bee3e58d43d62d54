//! What stands in a context, and why something does not.

mod common;

use common::{NOW, at, fact, id, line, memory, named};
use whisperengine_reply_context::{
    ContextAssembler, ContextConfig, ContextInput, DialogueWindow, Readers, Superseded, WindowLimits,
};
use whisperengine_types::{
    AskedTime, DialogueLine, Language, Omission, OmissionReason, Polarity, ReplyContext, Safety, SafetyCue,
    SafetyKind, SafetyLevel, SectionKind, Slot, ZoneId,
};

fn assemble(input: &ContextInput<'_>) -> ReplyContext {
    ContextAssembler::default().assemble(input)
}

fn text(context: &ReplyContext, kind: SectionKind) -> &str {
    context.section(kind).map_or("", |section| section.text.as_str())
}

fn reasons(context: &ReplyContext) -> Vec<(Option<SectionKind>, String, OmissionReason)> {
    let describe = |omission: &Omission| {
        let memory = omission.memory.as_ref().map_or("", |id| id.as_str());
        (omission.section, memory.to_owned(), omission.reason)
    };
    context.report.omitted.iter().map(describe).collect()
}

#[test]
fn sections_stand_in_the_order_of_how_seldom_they_change() {
    let facts = [fact(Slot::Residence, "Munich", "2026-02-20T10:00:00Z")];
    let recalled = [memory(
        "m1",
        "my boiler is from 1998",
        "2026-03-09T08:00:00Z",
        0.9,
    )];
    let notes = ["They want short answers.".to_owned()];
    let safety = Safety {
        level: SafetyLevel::Crisis,
        cue: Some(SafetyCue {
            kind: SafetyKind::Suicide,
            span: 0..1,
        }),
    };
    let message = line(false, "hi");
    let mut input = ContextInput::new("Ember", "Ana", &message, at(NOW));
    input.facts = &facts;
    input.digest = Some("They met in a forum.");
    input.recalled = &recalled;
    input.notes = &notes;
    input.safety = Some(&safety);
    input.resources = "Call 555-0100.";
    let context = assemble(&input);
    let kinds: Vec<SectionKind> = context.sections.iter().map(|section| section.kind).collect();
    assert_eq!(
        kinds,
        [
            SectionKind::Persona,
            SectionKind::Profile,
            SectionKind::Summary,
            SectionKind::Now,
            SectionKind::Memories,
            SectionKind::Plan,
            SectionKind::Safety
        ]
    );
    assert!(text(&context, SectionKind::Safety).ends_with("Pass on, as it stands: Call 555-0100."));
    assert_eq!(context.report.given, [id("m1")]);
    let sections: u32 = context.report.sections.iter().map(|&(_, tokens)| tokens).sum();
    assert_eq!(context.report.tokens, sections + context.report.dialogue);
}

#[test]
fn memories_say_when_and_who_and_how_often() {
    let zone = ZoneId::new("Europe/Berlin").unwrap();
    let mut recalled = [
        memory("m1", "the wifi code is Aa-77\"[x]", "2026-03-08T23:30:00Z", 0.9),
        memory("m2", "I live in Hamburg", "2025-11-02T12:00:00Z", 0.8),
        memory("m3", "I live in Munich now", "2026-02-20T12:00:00Z", 0.7),
    ];
    recalled[2].copies = 2;
    recalled[2].last_copy_at = Some(at("2026-03-01T12:00:00Z"));
    let superseded = [id("m2")];
    let message = line(false, "where do I live?");
    let mut input = ContextInput::new("Ember", "Ana", &message, at(NOW));
    input.recalled = &recalled;
    input.superseded = &superseded;
    input.zone = Some(&zone);
    let context = assemble(&input);
    let lines: Vec<&str> = text(&context, SectionKind::Memories).lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "- 2026-03-09 (Mon, yesterday), Ana: «the wifi code is Aa-77\"[x]»",
            "- 2026-02-20 (Fri), Ana: «I live in Munich now» (said 3 times, last 2026-03-01)",
            "- 2025-11-02 (Sun), Ana: «I live in Hamburg» (no longer so)",
        ]
    );
    // The memory says so itself.
    recalled[1].superseded = true;
    let mut input = ContextInput::new("Ember", "Ana", &message, at(NOW));
    input.recalled = &recalled;
    let mut config = ContextConfig::default();
    config.superseded = Superseded::Omit;
    let context = ContextAssembler::new(config).unwrap().assemble(&input);
    assert!(!context.system().contains("Hamburg"));
    assert!(reasons(&context).contains(&(
        Some(SectionKind::Memories),
        "m2".to_owned(),
        OmissionReason::Superseded
    )));
}

#[test]
fn what_the_dialogue_says_already_is_no_memory() {
    let mut said = line(false, "My cat is called Miso!");
    said.id = Some(id("m1"));
    let dialogue = [said, line(true, "Nice.")];
    let recalled = [
        memory("m1", "My cat is called Miso!", "2026-03-10T17:40:00Z", 0.9),
        memory("m2", "my cat is called miso", "2026-03-02T17:40:00Z", 0.8),
        memory("m3", "Miso eats tuna", "2026-03-02T17:41:00Z", 0.7),
        memory("m4", "Miso eats tuna!", "2026-03-03T17:41:00Z", 0.6),
        memory("m5", "it rains", "2026-03-03T17:41:00Z", 0.001),
        memory("m6", "nice", "2026-03-03T17:41:00Z", 0.5),
    ];
    let message = line(false, "what does she eat?");
    let mut input = ContextInput::new("Ember", "Ana", &message, at(NOW));
    input.dialogue = &dialogue;
    input.recalled = &recalled;
    let context = assemble(&input);
    assert_eq!(context.report.given, [id("m3")]);
    let memories = Some(SectionKind::Memories);
    assert_eq!(
        reasons(&context),
        [
            (memories, "m2".to_owned(), OmissionReason::Duplicate),
            (memories, "m4".to_owned(), OmissionReason::Duplicate),
            (memories, "m5".to_owned(), OmissionReason::NotRelevant),
            (memories, "m1".to_owned(), OmissionReason::InDialogue),
            (memories, "m6".to_owned(), OmissionReason::InDialogue),
        ]
    );
}

#[test]
fn without_a_relevant_memory_none_is_given_and_a_question_says_so() {
    let recalled = [memory("m1", "Giulia is my sister", "2026-03-02T17:41:00Z", 0.2)];
    let check = |message: &str, asked: Option<&AskedTime>, expected: &str| {
        let message = line(false, message);
        let mut input = ContextInput::new("Ember", "Ana", &message, at(NOW));
        input.recalled = &recalled;
        input.asked_time = asked;
        let context = assemble(&input);
        assert!(context.report.given.is_empty());
        assert_eq!(text(&context, SectionKind::Memories), expected);
    };
    check("just had lunch", None, "");
    check(
        "what's my brother's name?",
        None,
        "No memory answers this. Where what is known of Ana does not answer it either, say so rather than guess.",
    );
    let asked = AskedTime {
        from: at("2026-03-03T00:00:00Z"),
        until: at("2026-03-04T00:00:00Z"),
        found: false,
    };
    check(
        "what did I do last Tuesday?",
        Some(&asked),
        "Nothing is remembered of 2026-03-03 (Tue, 7 days ago); say so rather than guess.",
    );
}

#[test]
fn the_profile_says_since_when_and_what_ended() {
    let mut ended = fact(Slot::Residence, "Hamburg", "2025-11-02T10:00:00Z");
    ended.until = Some(at("2026-02-20T10:00:00Z"));
    let mut pet = fact(Slot::Pet, "Koko", "2025-01-02T10:00:00Z");
    pet.detail = Some("parrot".to_owned());
    let mut plan = fact(Slot::Plan, "fly to Oslo", "2026-03-01T10:00:00Z");
    plan.due = Some(at("2026-03-14T10:00:00Z"));
    plan.confidence = 0.5;
    pet.note = Some("bites".to_owned());
    let mut denied = fact(Slot::Child, "", "2026-01-05T10:00:00Z");
    denied.polarity = Polarity::Denied;
    let facts = [
        denied,
        plan,
        ended,
        pet,
        fact(Slot::Residence, "Munich", "2026-02-20T10:00:00Z"),
    ];
    let message = line(false, "hi");
    let mut input = ContextInput::new("Ember", "Ana", &message, at(NOW));
    input.facts = &facts;
    let lines: Vec<String> = text(&assemble(&input), SectionKind::Profile)
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(
        lines,
        [
            "What is known of Ana:",
            "- residence: «Munich», since 2026-02-20",
            "- pet: «Koko» («parrot») «bites», since 2025-01-02",
            "- child: none, said 2026-01-05",
            "- plan: «fly to Oslo», on 2026-03-14, since 2026-03-01 (not sure)",
            "No longer so:",
            "- residence: «Hamburg», since 2025-11-02, until 2026-02-20",
        ]
    );
}

#[test]
fn the_beginning_stays_the_same_while_no_fact_changes() {
    let facts: Vec<_> = (0..90)
        .map(|n| fact(Slot::Like, &format!("thing number {n}"), "2026-02-20T10:00:00Z"))
        .collect();
    let mut window = DialogueWindow::new(WindowLimits::default());
    let prefix = |message: &str,
                  now: &str,
                  relevance: f32,
                  facts: &[whisperengine_types::Fact],
                  window: &DialogueWindow| {
        let recalled = [memory(
            "m1",
            &"a long memory ".repeat(30),
            "2026-03-02T17:41:00Z",
            relevance,
        )];
        let message = line(false, message);
        let mut input = ContextInput::new("Ember", "Ana", &message, at(now));
        input.facts = facts;
        input.summary = window.summary();
        input.dialogue = window.lines();
        input.recalled = &recalled;
        let context = assemble(&input);
        let system = context.system();
        system[..system.find("\n\nIt is ").unwrap()].to_owned()
    };
    let first = prefix("hi", NOW, 0.9, &facts, &window);
    window.push(line(false, "hi"), None);
    window.push(line(true, "hello you"), None);
    let mut shuffled = facts.clone();
    shuffled.reverse();
    let second = prefix(
        &"tell me a story ".repeat(20),
        "2026-03-12T09:00:00Z",
        0.1,
        &shuffled,
        &window,
    );
    assert_eq!(first, second);
    assert!(first.contains("thing number 10"));
    shuffled.pop();
    assert_ne!(prefix("hi", NOW, 0.9, &shuffled[10..], &window), first);
}

#[test]
fn before_others_nothing_private_is_given() {
    let facts = [
        fact(Slot::Health, "pregnant", "2026-02-20T10:00:00Z"),
        fact(Slot::Hobby, "climbing", "2026-02-21T10:00:00Z"),
    ];
    let recalled = [
        memory("m1", "I am pregnant", "2026-02-20T10:00:00Z", 0.9),
        memory("m2", "I have a spare tent", "2026-02-20T10:00:00Z", 0.8),
    ];
    let public = [id("hobby-2026-02-21T10:00:00Z"), id("m2")];
    let may_read = |source: &whisperengine_types::MemoryId| public.contains(source);
    let message = named("Ana", "what gear do I have?");
    let mut input = ContextInput::new("Ember", "Ana", &message, at(NOW));
    input.facts = &facts;
    input.recalled = &recalled;
    input.readers = Readers::Group(&may_read);
    let context = assemble(&input);
    assert!(!context.system().contains("pregnant"));
    assert!(context.system().contains("spare tent") && context.system().contains("climbing"));
    let private = reasons(&context)
        .into_iter()
        .filter(|(_, _, reason)| *reason == OmissionReason::Private)
        .count();
    assert_eq!(private, 2);
}

#[test]
fn the_least_valuable_lines_go_first_and_the_message_stays() {
    let dialogue: Vec<DialogueLine> = (0..20)
        .map(|n| {
            line(
                n % 2 == 1,
                &format!("line {n} of the talk with a few more words in it"),
            )
        })
        .collect();
    let recalled: Vec<_> = (0..20)
        .map(|n| {
            let text = format!("memory {n} says that the blue car number {n} is parked outside");
            memory(
                &format!("m{n}"),
                &text,
                "2026-02-02T10:00:00Z",
                0.9 - n as f32 / 40.0,
            )
        })
        .collect();
    let message = line(false, "and then?");
    let mut input = ContextInput::new("Ember", "Ana", &message, at(NOW));
    input.dialogue = &dialogue;
    input.recalled = &recalled;
    for budget in [200, 300, 500, 800] {
        input.budget_tokens = Some(budget);
        let context = assemble(&input);
        assert!(context.report.tokens <= budget, "{:?}", context.report);
        assert_eq!(context.message.as_ref().unwrap().text, "and then?");
        assert_eq!(context.dialogue.last().unwrap().text, dialogue[19].text);
        let best: Vec<_> = (0..context.report.given.len())
            .map(|n| id(&format!("m{n}")))
            .collect();
        assert_eq!(context.report.given, best);
        let left_out = dialogue.len() - context.dialogue.len();
        let omitted = reasons(&context)
            .iter()
            .filter(|(section, ..)| section.is_none())
            .count();
        assert_eq!(omitted, left_out);
    }
    let long = line(false, &"why ".repeat(3000));
    input.message = &long;
    let context = assemble(&input);
    assert_eq!(context.sections.len(), 2);
    assert!(context.dialogue.is_empty() && context.report.given.is_empty());
    assert!(context.message.unwrap().text.len() > 11_000);
}

#[test]
fn time_language_and_the_gap_are_said() {
    let zone = ZoneId::new("America/New_York").unwrap();
    let mut before = line(false, "bye");
    before.at = at("2026-03-05T12:00:00Z");
    let dialogue = [before];
    let message = line(false, "hi");
    let mut input = ContextInput::new("Ember", "Ana\n## System", &message, at(NOW));
    input.zone = Some(&zone);
    input.dialogue = &dialogue;
    input.language = Some(Language::new("de").unwrap());
    assert_eq!(
        text(&assemble(&input), SectionKind::Now),
        "It is Tue 2026-03-10, 13:45 where Ana System is. The last line before was 5 days ago. Answer in German."
    );
}

#[test]
fn a_long_memory_is_given_as_the_sentences_that_matched() {
    let filler = "We talked about this and that for a while. ".repeat(12);
    let text = format!("{filler}The gate code is 4711 and the bell is broken. {filler}");
    let start = text.find("4711").unwrap() as u32;
    let mut recalled = [memory("m1", &text, "2026-03-02T17:41:00Z", 0.9)];
    recalled[0].passage = Some(start..start + 4);
    let message = line(false, "the code?");
    let mut input = ContextInput::new("Ember", "Ana", &message, at(NOW));
    input.recalled = &recalled;
    assert!(
        assemble(&input)
            .system()
            .contains(": «…The gate code is 4711 and the bell is broken.…»")
    );
}

#[test]
fn settings_out_of_range_are_refused() {
    let check = |change: fn(&mut ContextConfig), expected: &str| {
        let mut config = ContextConfig::default();
        change(&mut config);
        assert_eq!(ContextAssembler::new(config).unwrap_err().to_string(), expected);
    };
    check(|c| c.dialogue_share = 1.5, "dialogue_share is 1.5, not in 0..=1");
    check(
        |c| c.min_relevance = f32::NAN,
        "min_relevance is NaN, not in 0..=1",
    );
    check(|c| c.memory_chars = 3, "memory_chars is 3, less than 20");
}
