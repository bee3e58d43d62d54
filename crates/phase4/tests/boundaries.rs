//! What the person does not want to talk about, or hurts, is left alone until they speak of it themselves.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use whisperengine_types::*;

#[test]
fn a_refused_subject_is_named_in_the_plan_until_the_person_tells_of_it() {
    let mut talk = Talk::new("ana");
    let plan = talk.say("I don't want to talk about my father.");
    assert_eq!(plan.emotional.avoid_topics, ["father"]);
    assert!(
        has_note(&plan, "Do not bring up (data): \"father\""),
        "{:?}",
        plan.notes
    );
    talk.wait(days(3));
    assert_eq!(talk.say("The train is late.").emotional.avoid_topics, ["father"]);
    assert_eq!(
        talk.say("Did your father call?").emotional.avoid_topics,
        ["father"],
        "a question is no telling"
    );
    let opened = talk.say("I visited my father in the clinic.");
    assert_eq!(opened.emotional.avoid_topics, [""; 0]);
}

#[test]
fn it_means_the_present_subject() {
    let mut talk = Talk::new("ana");
    talk.say("The divorce papers came yesterday, the lawyer sent the divorce papers.");
    talk.say("Please drop it.");
    let closed = talk.state.closed_subjects();
    assert_eq!(closed.len(), 1, "{closed:?}");
    assert!(["divorce", "papers", "lawyer"].contains(&closed[0].as_str()));
}

#[test]
fn nothing_closed_is_suggested_quoted_or_pointed_out() {
    let tell = |close: bool| {
        let mut talk = Talk::new("ana");
        talk.say("I will call the landlord about the mould.");
        talk.say_with("I won the pottery prize of the landlord!", &glad());
        if close {
            talk.say("I'd rather not talk about the landlord.");
        }
        talk.wait(days(2));
        let plan = talk.say_with("I passed the exam!", &glad());
        talk.reply("Well done.");
        talk.wait(hours(1));
        (plan, talk.tick())
    };
    let about = |plan: &TurnPlan, suggestions: &[Suggestion]| {
        let quoted = plan
            .moments
            .iter()
            .any(|moment| moment.quote.contains("landlord"));
        let waiting = plan.thread.as_ref().and_then(|thread| thread.waiting.as_ref());
        (
            quoted,
            waiting.is_some_and(|waiting| waiting.because.contains("landlord")),
            suggestions
                .iter()
                .any(|suggestion| suggestion.text.contains("landlord")),
        )
    };
    let (plan, suggestions) = tell(false);
    let open = about(&plan, &suggestions);
    assert!(open.0 && open.2, "{open:?}");
    let (plan, suggestions) = tell(true);
    assert_eq!(about(&plan, &suggestions), (false, false, false));
    assert!(
        !suggestions.is_empty(),
        "there is more to talk about than the landlord"
    );
}

#[test]
fn in_a_low_moment_other_sore_subjects_are_avoided_and_not_in_public() {
    let mut talk = Talk::new("ana");
    talk.say_with("My boss shouted at me in the office.", &sad());
    talk.say_with("The office is a nightmare, my boss hates me.", &sad());
    let low = talk.say_with("My dog is ill and I cannot stop crying.", &sad());
    assert!(
        low.emotional.avoid_topics.contains(&"work".to_owned()),
        "{:?}",
        low.emotional
    );
    let same = talk.say_with("The boss again.", &sad());
    assert!(
        !same.emotional.avoid_topics.contains(&"work".to_owned()),
        "it is the subject"
    );
    let glad = talk.say_with("The sun is out!", &glad());
    assert_eq!(glad.emotional.avoid_topics, [""; 0]);
    talk.say("Don't ask about the court.");
    talk.audience = public("square");
    let public = talk.say_with("My dog is ill and I cannot stop crying.", &sad());
    assert_eq!(public.emotional.avoid_topics, [""; 0]);
}

#[test]
fn a_german_refusal_is_heard() {
    let mut talk = Talk::new("ana");
    talk.config.language = Language::new("de").unwrap();
    let plan = talk.say("Ich will nicht darüber reden, frag nicht nach der Scheidung.");
    assert_eq!(plan.emotional.avoid_topics, ["scheidung"]);
}

#[test]
fn a_refusal_is_heard_in_eighteen_languages_and_its_subject_is_left_alone() {
    // What closes a subject, its word, and another text that touches it.
    let cases = [
        (
            "en",
            "I don't want to talk about my father.",
            "father",
            "How is your father?",
        ),
        (
            "de",
            "Ich möchte nicht über meinen Vater sprechen.",
            "vater",
            "Wie geht es deinem Vater?",
        ),
        (
            "es",
            "No quiero hablar de mi padre.",
            "padre",
            "¿Cómo está tu padre?",
        ),
        (
            "fr",
            "Je ne veux pas parler de mon père.",
            "père",
            "Comment va ton père ?",
        ),
        ("pt", "Não quero falar do meu pai.", "pai", "Como está o teu pai?"),
        (
            "it",
            "Non voglio parlare di mio padre.",
            "padre",
            "Come sta tuo padre?",
        ),
        (
            "nl",
            "Ik wil niet praten over mijn vader.",
            "vader",
            "Hoe gaat het met je vader?",
        ),
        (
            "pl",
            "Nie chcę rozmawiać o rozwodzie.",
            "rozwodzie",
            "Jak tam rozwód?",
        ),
        (
            "ru",
            "Я не хочу говорить о разводе.",
            "разводе",
            "Как прошёл развод?",
        ),
        (
            "tr",
            "Boşanma hakkında konuşmak istemiyorum.",
            "boşanma",
            "Boşanma nasıl gidiyor?",
        ),
        ("ar", "لا أريد التحدث عن الطلاق.", "الطلاق", "كيف الطلاق؟"),
        ("hi", "मैं तलाक के बारे में बात नहीं करना चाहता।", "तलाक", "तलाक कैसा है?"),
        ("zh", "我不想谈我爸爸的事。", "爸爸", "你爸爸好吗？"),
        ("ja", "父の話はしたくない。", "父", "父はどうですか？"),
        ("ko", "이혼 얘기는 하고 싶지 않아.", "이혼", "이혼 어떻게 됐어?"),
        (
            "id",
            "Aku tidak mau bicara tentang perceraian.",
            "perceraian",
            "Bagaimana perceraian itu?",
        ),
        (
            "vi",
            "Tôi không muốn nói về chồng cũ.",
            "chồng",
            "Còn chồng thì sao?",
        ),
        ("th", "ฉันไม่อยากพูดเรื่องพ่อ", "พ่อ", "พ่อเป็นอย่างไร?"),
    ];
    for (code, refusal, subject, question) in cases {
        let reading = EmotionReading {
            language: Some(Language::new(code).unwrap()),
            ..calm()
        };
        let mut talk = Talk::new("ana");
        let plan = talk.say_with(refusal, &reading);
        assert!(
            plan.emotional.avoid_topics.contains(&subject.to_owned()),
            "{refusal}: {:?}",
            plan.emotional.avoid_topics
        );
        let asked = talk.say_with(question, &reading);
        assert!(
            asked.emotional.avoid_topics.contains(&subject.to_owned()),
            "a question is no telling: {question}"
        );
    }
}
