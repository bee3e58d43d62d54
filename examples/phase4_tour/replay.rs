//! Recorded conversations, played in time order, once from each side.

use std::{collections::BTreeMap, error::Error, path::Path, time::Duration};

use serde::Deserialize;
use whisperengine_examples::{input, measure, progress};
use whisperengine_phase4::record_feedback;
use whisperengine_types::{Feedback, MomentPlan, Timestamp};

use crate::{
    Options,
    companion::{Companion, Heard, Senses},
};

#[derive(Debug, Deserialize)]
struct Line {
    user: String,
    speaker: String,
    session: String,
    text: String,
    timestamp: Timestamp,
}

/// What was counted.
#[derive(Debug, Default)]
struct Figures {
    turns: usize,
    sessions: usize,
    changes: usize,
    changes_at_start: usize,
    session_starts: usize,
    threads_in_sessions: Vec<usize>,
    returns: usize,
    interventions: usize,
    turns_with_moment: usize,
    /// Every moment offered, with the message it was offered for.
    moments: Vec<(String, MomentPlan)>,
    kinds: BTreeMap<String, usize>,
    state_bytes: Vec<usize>,
}

/// One conversation seen from one side, ready to be played again.
struct Side {
    companion: Companion,
    events: Vec<Event>,
}

enum Event {
    Heard(Box<Heard>),
    Replied(Feedback),
}

/// The recordings have one time for each session; messages are taken to be this far apart.
const PACE: Duration = Duration::from_secs(30);

pub(crate) fn run(file: &Path, options: &Options) -> Result<(), Box<dyn Error>> {
    let lines: Vec<Line> = input::json_lines(file)?;
    let senses = Senses::new(options.plain);
    let mut conversations: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
    for line in &lines {
        conversations.entry(&line.user).or_default().push(line);
    }
    let mut figures = Figures::default();
    let mut sides = Vec::new();
    let bar = progress::bar(2 * lines.len() as u64, "played");
    for (name, conversation) in &mut conversations {
        conversation.sort_by_key(|line| line.timestamp);
        let mut speakers: Vec<&str> = conversation.iter().map(|line| line.speaker.as_str()).collect();
        speakers.sort_unstable();
        speakers.dedup();
        for speaker in speakers {
            let mut companion = Companion::new("replay", &format!("{name}/{speaker}"))?;
            if let Some(turns) = options.gap_turns {
                companion.config.moment.gap_turns = turns;
            }
            sides.push(play(companion, &senses, conversation, speaker, &mut figures)?);
            bar.inc(conversation.len() as u64);
        }
    }
    bar.finish_and_clear();
    report(&figures, options);
    if options.rounds > 0 {
        for replies in [true, false] {
            speed(&sides, options.rounds, replies)?;
        }
    }
    Ok(())
}

fn play(
    mut companion: Companion,
    senses: &Senses,
    lines: &[&Line],
    person: &str,
    figures: &mut Figures,
) -> Result<Side, Box<dyn Error>> {
    let mut events = Vec::new();
    let (mut session, mut at, mut first) = ("", Timestamp::default(), true);
    let mut seen: Vec<String> = Vec::new();
    let mut known: Vec<String> = Vec::new();
    for line in lines {
        if line.session != session {
            session = &line.session;
            at = line.timestamp;
            figures.sessions += 1;
            if !seen.is_empty() {
                figures.threads_in_sessions.push(seen.len());
            }
            seen.clear();
            first = true;
        }
        at = at + PACE;
        if line.speaker != person {
            let feedback = Feedback::Replied {
                text: line.text.clone(),
                moment: None,
                at,
            };
            record_feedback(&companion.config, &mut companion.state, &feedback)?;
            events.push(Event::Replied(feedback));
            continue;
        }
        let (plan, heard) = companion.hear(senses, &line.text, at)?;
        events.push(Event::Heard(Box::new(heard)));
        figures.turns += 1;
        figures.interventions += usize::from(plan.engagement.intervene);
        let thread = plan.thread.ok_or("a plan without a thread")?;
        let changed = thread
            .transition
            .is_some_and(|transition| transition.from.is_some());
        let id = thread.id.to_string();
        figures.session_starts += usize::from(first && !known.is_empty());
        figures.changes += usize::from(changed);
        figures.changes_at_start += usize::from(changed && first);
        figures.returns += usize::from(changed && known.contains(&id));
        first = false;
        if !seen.contains(&id) {
            seen.push(id.clone());
        }
        if !known.contains(&id) {
            known.push(id);
        }
        figures.turns_with_moment += usize::from(!plan.moments.is_empty());
        for moment in plan.moments {
            *figures.kinds.entry(format!("{:?}", moment.kind)).or_default() += 1;
            figures.moments.push((line.text.clone(), moment));
        }
    }
    if !seen.is_empty() {
        figures.threads_in_sessions.push(seen.len());
    }
    figures.state_bytes.push(companion.state.encode().len());
    Ok(Side { companion, events })
}

fn report(figures: &Figures, options: &Options) {
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    let threads: usize = figures.threads_in_sessions.iter().sum();
    let inner = figures.changes - figures.changes_at_start;
    println!("turns of the person          {}", figures.turns);
    println!("sessions (seen from a side)  {}", figures.sessions);
    println!(
        "threads in a session, mean   {:.2}",
        share(threads, figures.threads_in_sessions.len())
    );
    println!(
        "messages to a thread, mean   {:.2}",
        share(figures.turns, threads)
    );
    println!(
        "session starts that change   {:.3} ({} of {})",
        share(figures.changes_at_start, figures.session_starts),
        figures.changes_at_start,
        figures.session_starts
    );
    println!(
        "other turns that change      {:.3} ({} of {})",
        share(inner, figures.turns - figures.session_starts),
        inner,
        figures.turns - figures.session_starts
    );
    println!(
        "changes back to a thread     {:.3} ({} of {})",
        share(figures.returns, figures.changes),
        figures.returns,
        figures.changes
    );
    println!("interventions                {}", figures.interventions);
    println!(
        "turns with a moment          {}, {} offered: {:?}",
        figures.turns_with_moment,
        figures.moments.len(),
        figures.kinds
    );
    println!(
        "largest state                {} bytes",
        figures.state_bytes.iter().max().unwrap_or(&0)
    );
    println!("\nsample of moments");
    for (number, (text, moment)) in sample(&figures.moments, options).into_iter().enumerate() {
        println!(
            "{:2}. {:?} via {:?}, {:?}, impact {:.2}\n    now: {text}\n    old: {} ({})",
            number + 1,
            moment.kind,
            moment.connection,
            moment.timing,
            moment.impact,
            moment.quote,
            moment.said_at
        );
    }
}

/// The moments to print, in the order of the replay: evenly spread, or drawn with a seed.
fn sample<'a>(moments: &'a [(String, MomentPlan)], options: &Options) -> Vec<&'a (String, MomentPlan)> {
    let wanted = options.sample.min(moments.len());
    let mut places: Vec<usize> = match options.seed {
        None => (0..wanted).map(|place| place * moments.len() / wanted).collect(),
        Some(seed) => {
            let mut all: Vec<usize> = (0..moments.len()).collect();
            let drawn = |place: usize| {
                let bits = (place as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed;
                (bits ^ bits >> 29)
                    .wrapping_mul(0xbf58_476d_1ce4_e5b9)
                    .rotate_left(31)
            };
            all.sort_by_key(|&place| drawn(place));
            all.truncate(wanted);
            all
        }
    };
    places.sort_unstable();
    places.into_iter().map(|place| &moments[place]).collect()
}

/// Plays everything again on warm states and counts turns by CPU time: planning, what follows a reply, and,
/// if wanted, reading the replies.
fn speed(sides: &[Side], rounds: usize, replies: bool) -> Result<(), Box<dyn Error>> {
    let mut states: Vec<_> = sides.iter().map(|side| side.companion.state.clone()).collect();
    let mut rates = Vec::new();
    for _ in 0..rounds {
        let mut turns = 0;
        let from = measure::process_cpu();
        for (side, state) in sides.iter().zip(&mut states) {
            let mut companion = Companion::new("replay", "speed")?;
            companion.owner = side.companion.owner.clone();
            std::mem::swap(&mut companion.state, state);
            for event in &side.events {
                match event {
                    Event::Heard(heard) => {
                        std::hint::black_box(companion.plan(heard)?);
                        turns += 1;
                    }
                    Event::Replied(_) if !replies => {}
                    Event::Replied(feedback) => {
                        record_feedback(&companion.config, &mut companion.state, feedback)?
                    }
                }
            }
            std::mem::swap(&mut companion.state, state);
        }
        let spent = measure::process_cpu().saturating_sub(from);
        rates.push(f64::from(turns) / spent.as_secs_f64().max(1e-9));
    }
    rates.sort_by(f64::total_cmp);
    println!(
        "\nturns in a CPU second, replies {}: {:.0} (median of {rounds} rounds on warm states)",
        if replies { "read as well" } else { "left out" },
        rates[rates.len() / 2]
    );
    Ok(())
}
