//! Two weeks of Mara and a bot, made up.

use std::{error::Error, time::Duration};

use whisperengine_phase4::{record_feedback, tick};
use whisperengine_types::{Decision, Feedback, Timestamp, TurnPlan};

use crate::{
    Options,
    companion::{Companion, Senses},
};

enum Beat {
    /// A new day: how many after the first, at which hour.
    Day(u64, u64),
    Mara(&'static str),
    Bot(&'static str),
    /// Minutes of silence, after which the bot asks whether there is something to say.
    Silence(u64),
}

use Beat::{Bot, Day, Mara, Silence};

const STORY: &[Beat] = &[
    Day(0, 18),
    Mara("Hi! I'm Mara. A friend told me about you."),
    Bot("Hello Mara, good to meet you. What keeps you busy?"),
    Mara("Mostly my job at the library, and I just started learning the cello."),
    Bot("The cello! What made you pick it?"),
    Mara("My grandfather played it. I want to play his favourite piece at my mother's birthday."),
    Bot("That is a lovely goal."),
    Mara("Thanks! I have to order new strings tonight. Good night!"),
    Silence(30),
    Day(1, 12),
    Mara("The cello practice was awful yesterday, my fingers hurt and I feel like giving up."),
    Bot("The first weeks are rough on the fingers. It does get better."),
    Mara("You think so? By the way, my boss wants me to run the book festival this year."),
    Bot("That sounds like a big step. How do you feel about it?"),
    Mara("Honestly, I'm worried. It is so much work and I'm already stressed at the library."),
    Bot("What worries you most?"),
    Mara("The budget."),
    Silence(12),
    Day(3, 20),
    Mara("Please keep it short today, I'm tired."),
    Bot("Of course."),
    Mara("ok"),
    Bot("Long day at the library?"),
    Mara("yes"),
    Bot("Rest a little."),
    Mara("fine"),
    Bot("Shall I leave you be?"),
    Day(5, 17),
    Mara("Back to the cello: the new strings sound wonderful!"),
    Bot("So you did order them."),
    Mara("I did! My teacher says my bowing improved a lot, I'm so happy."),
    Bot("That is great to hear."),
    Day(8, 13),
    Mara("My grandfather died this morning. I can't stop crying."),
    Bot("Oh Mara, I am so sorry."),
    Mara("I trust you with this, I haven't told anyone yet. He was the one who taught me to love music."),
    Bot("Thank you for telling me. Tell me about him, if you like."),
    Mara("I need to call my mother, talk to you later."),
    Silence(45),
    Day(10, 19),
    Mara("I feel so sad again tonight, the cello reminds me of him."),
    Bot("It carries a lot of him."),
    Mara("Yes. But playing helps, I think."),
    Silence(11),
    Day(12, 12),
    Mara("The festival budget got approved, I did it! I'm so proud of myself!"),
    Bot("You did! And you were so worried about it."),
    Mara("Thank you, that means a lot. What should I play at the opening?"),
    Bot("Let me check a few pieces and get back to you."),
    Day(14, 18),
    Mara(
        "I performed his favourite piece at my mother's birthday and everyone cried, it was the best day of my life!",
    ),
    Bot("He would have been proud of you."),
    Mara("I passed my first recital, I did it!"),
];

/// Tells the story; an error when the engine noticed nothing at all.
pub(crate) fn tell(options: &Options) -> Result<(), Box<dyn Error>> {
    let senses = Senses::new(options.plain);
    let mut companion = Companion::new("ember", "mara")?;
    let feedback = Feedback::TimeZone {
        name: "Europe/Berlin".to_owned(),
    };
    record_feedback(&companion.config, &mut companion.state, &feedback)?;
    let start: Timestamp = "2026-05-04T00:00:00Z".parse()?;
    let (mut now, mut offered, mut raised, mut sent) = (start, None, 0, 0);
    for beat in STORY {
        match beat {
            Day(day, hour) => {
                now = start + Duration::from_secs(day * 86_400 + hour * 3600);
                println!("\n=== day {} ===", day + 1);
            }
            Mara(text) => {
                now = now + Duration::from_secs(40);
                println!("\nMara: {text}");
                let (plan, _) = companion.hear(&senses, text, now)?;
                tell_plan(&plan);
                if options.supplements {
                    println!("{}", plan.prompt_supplement());
                }
                raised += plan.moments.len();
                offered = plan.moments.first().map(|moment| moment.id.clone());
            }
            Bot(text) => {
                now = now + Duration::from_secs(20);
                println!("Bot:  {text}");
                let feedback = Feedback::Replied {
                    text: (*text).to_owned(),
                    moment: offered.take(),
                    at: now,
                };
                record_feedback(&companion.config, &mut companion.state, &feedback)?;
            }
            Silence(minutes) => {
                // The bot has had the last word, so the wait is Mara's.
                let feedback = Feedback::Replied {
                    text: "I am here.".to_owned(),
                    moment: offered.take(),
                    at: now,
                };
                record_feedback(&companion.config, &mut companion.state, &feedback)?;
                now = now + Duration::from_secs(60 * minutes);
                let due = tick(&companion.config, &mut companion.state, now);
                println!("\n... {minutes} minutes of silence");
                let Some(first) = due.first() else {
                    println!(
                        "  held back: nothing is due (goodbye, night, cap, recent distress, a wait for the answer)"
                    );
                    continue;
                };
                for suggestion in &due {
                    println!(
                        "  could say ({:?}, {:.2}): {} - {}",
                        suggestion.strategy, suggestion.boost, suggestion.text, suggestion.because
                    );
                }
                let feedback = Feedback::SuggestionSent {
                    suggestion: first.id.clone(),
                    at: now,
                };
                record_feedback(&companion.config, &mut companion.state, &feedback)?;
                sent += 1;
            }
        }
    }
    let report = companion.state.relationship_report(&companion.config, now);
    println!("\n=== after two weeks ===");
    println!(
        "relationship: {:?}, trust {:.2}, depth {:.2}",
        report.stage, report.trust, report.depth
    );
    for thread in companion.state.threads() {
        println!(
            "thread {:?}: {:?}, {} messages, open: {:?}",
            thread.topics, thread.state, thread.messages, thread.open_items
        );
    }
    println!(
        "{raised} moments raised, {sent} messages sent unasked, state of {} bytes",
        companion.state.encode().len()
    );
    if raised == 0 {
        return Err("the engine noticed nothing".into());
    }
    Ok(())
}

fn tell_plan(plan: &TurnPlan) {
    let emotional = &plan.emotional;
    println!(
        "  feels {:?} ({:?}), {:?}, {:?}",
        emotional.state, emotional.tone, plan.interaction, plan.mode
    );
    if let Some(thread) = &plan.thread {
        let change = thread.transition.as_ref().map(|change| {
            format!(
                " - {:?}, strength {:.2}: {}",
                change.kind, change.strength, change.bridge
            )
        });
        println!(
            "  thread {:?}, {:?}, {:?} priority{}",
            thread.topics,
            thread.phase,
            thread.priority,
            change.unwrap_or_default()
        );
        for item in thread.open_questions.iter().chain(&thread.commitments) {
            println!("  still open: {item}");
        }
    }
    for moment in &plan.moments {
        println!(
            "  raises {:?} ({:?}, {:?}): \"{}\" - {}",
            moment.kind, moment.connection, moment.timing, moment.quote, moment.callback
        );
    }
    let engagement = &plan.engagement;
    if engagement.intervene {
        println!(
            "  {:?}, risk {:.2}: intervene",
            engagement.flow, engagement.stagnation_risk
        );
        for suggestion in &engagement.suggestions {
            println!(
                "  could add ({:?}): {} - {}",
                suggestion.strategy, suggestion.text, suggestion.because
            );
        }
    }
    for reason in plan
        .reasons
        .iter()
        .filter(|reason| reason.decision != Decision::Moment)
    {
        println!(
            "    because {:?}: {} ({:.2})",
            reason.decision, reason.cue, reason.weight
        );
    }
}
