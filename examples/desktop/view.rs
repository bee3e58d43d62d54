//! The screen as a function of the [`App`].

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style, Stylize},
    text::{Line, Span},
    widgets::{Block, Paragraph, Sparkline, SparklineBar},
};
use whisperengine::{ThreadPlan, Timestamp};

use crate::{
    app::{App, ChatLine, Feeling, Speaker},
    wrap,
};

/// Draws the whole screen.
pub(crate) fn draw(app: &App, frame: &mut Frame<'_>) {
    let [body, input, status] =
        Layout::vertical([Constraint::Min(6), Constraint::Length(3), Constraint::Length(1)])
            .areas(frame.area());
    let [left, right] = Layout::horizontal([Constraint::Percentage(58), Constraint::Fill(1)]).areas(body);
    chat(app, frame, left);
    let [feelings, recalled, threads, moments] = Layout::vertical([
        Constraint::Length(6),
        Constraint::Fill(3),
        Constraint::Fill(2),
        Constraint::Fill(2),
    ])
    .areas(right);
    draw_feelings(app, frame, feelings);
    list(
        frame,
        recalled,
        "Recalled, and why",
        &recalled_rows(app, width(recalled)),
    );
    list(frame, threads, "Threads", &thread_rows(app, width(threads)));
    list(
        frame,
        moments,
        "Moments and suggestions",
        &moment_rows(app, width(moments)),
    );
    draw_input(app, frame, input);
    let style = if app.fault {
        Style::new().fg(Color::Red)
    } else {
        Style::new().dim()
    };
    frame.render_widget(
        Paragraph::new(wrap::one_row(&app.status, status.width.into())).style(style),
        status,
    );
}

fn chat(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let block = Block::bordered().title(format!(" {} and {} ", app.user, app.bot));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let mut rows: Vec<Line<'static>> = Vec::new();
    let mut day = String::new();
    for line in app
        .chat
        .iter()
        .take(app.chat.len() - app.scroll.min(app.chat.len()))
    {
        let date = date(line.at);
        if date != day {
            rows.push(Line::from(format!("── {date} ──")).dim().centered());
            day = date;
        }
        rows.extend(said(app, line, inner.width.into()));
    }
    if app.waiting && app.scroll == 0 {
        rows.push(Line::from(format!("{} is thinking…", app.bot)).italic().dim());
    }
    let hidden = rows.len().saturating_sub(inner.height.into());
    frame.render_widget(Paragraph::new(rows.split_off(hidden)), inner);
}

fn said(app: &App, line: &ChatLine, width: usize) -> Vec<Line<'static>> {
    let (name, style) = match line.from {
        Speaker::Person => (&app.user, Style::new().fg(Color::Cyan)),
        Speaker::Bot => (&app.bot, Style::new().fg(Color::Yellow)),
        Speaker::Unasked => (&app.bot, Style::new().fg(Color::Magenta)),
    };
    let unasked = if line.from == Speaker::Unasked {
        " (unasked)"
    } else {
        ""
    };
    let name = format!("{name}{unasked} ");
    let indent = wrap::columns(&name).min(width / 3);
    let rows = wrap::rows(&line.text, width.saturating_sub(indent));
    let first = |at: usize| {
        if at == 0 {
            wrap::one_row(&name, width / 3 + 1)
        } else {
            String::new()
        }
    };
    rows.into_iter()
        .enumerate()
        .map(|(at, row)| {
            let name = format!("{:indent$}", first(at));
            Line::from(vec![
                Span::styled(name, style.add_modifier(Modifier::BOLD)),
                Span::raw(row),
            ])
        })
        .collect()
}

fn draw_feelings(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let title = match app.feelings.back() {
        Some(Feeling {
            emotion,
            valence,
            intensity,
        }) => {
            format!(" Feels {emotion} {intensity:.2}, valence {valence:+.2} ")
        }
        None => " Feelings ".to_owned(),
    };
    let block = Block::bordered().title(title);
    let columns = usize::from(block.inner(area).width);
    let skipped = app.feelings.len().saturating_sub(columns);
    // A bar's height is the valence: a line is -1, half is 0, full is +1.
    let bars = app.feelings.iter().skip(skipped).map(|feeling| {
        let height = ((feeling.valence + 1.0) * 50.0).clamp(LOWEST_BAR, 100.0) as u64;
        SparklineBar::from(height).style(Style::new().fg(color(feeling.valence)))
    });
    frame.render_widget(
        Sparkline::default()
            .data(bars.collect::<Vec<_>>())
            .max(100)
            .block(block),
        area,
    );
}

fn recalled_rows(app: &App, width: usize) -> Vec<Line<'static>> {
    app.recalled
        .iter()
        .flat_map(|memory| {
            [
                Line::from(wrap::one_row(
                    &format!("{} {}", date(memory.at), memory.text),
                    width,
                )),
                detail(&memory.why, width),
            ]
        })
        .collect()
}

fn thread_rows(app: &App, width: usize) -> Vec<Line<'static>> {
    let row = |(at, thread): (usize, &ThreadPlan)| {
        let topics = if thread.topics.is_empty() {
            "small talk".to_owned()
        } else {
            thread.topics.join(", ")
        };
        let mut text = format!(
            "{} {topics} · {} · {} messages",
            if at == 0 { "●" } else { "○" },
            word(&thread.phase),
            thread.messages
        );
        if let Some(question) = thread.open_questions.last() {
            text.push_str(&format!(" · open: {question}"));
        }
        if let Some(commitment) = thread.commitments.last() {
            text.push_str(&format!(" · will: {commitment}"));
        }
        let line = Line::from(wrap::one_row(&text, width));
        if at == 0 { line.bold() } else { line }
    };
    app.threads.iter().enumerate().map(row).collect()
}

fn moment_rows(app: &App, width: usize) -> Vec<Line<'static>> {
    let moments = app.moments.iter().flat_map(|moment| {
        [
            Line::from(wrap::one_row(
                &format!("◆ {}: {}", word(&moment.kind), moment.callback),
                width,
            )),
            detail(&format!("\u{201c}{}\u{201d}", moment.quote), width),
        ]
    });
    let suggestions = app.suggestions.iter().flat_map(|suggestion| {
        [
            Line::from(wrap::one_row(&format!("◇ {}", suggestion.text), width)),
            detail(&suggestion.because, width),
        ]
    });
    moments.chain(suggestions).collect()
}

/// A row beneath the one that it explains.
fn detail(text: &str, width: usize) -> Line<'static> {
    Line::from(format!("  {}", wrap::one_row(text, width.saturating_sub(2)))).dim()
}

fn list(frame: &mut Frame<'_>, area: Rect, title: &str, rows: &[Line<'static>]) {
    let block = Block::bordered().title(format!(" {title} "));
    let rows = match rows {
        [] => vec![Line::from("nothing yet").dim()],
        rows => rows.to_vec(),
    };
    frame.render_widget(Paragraph::new(rows).block(block), area);
}

fn draw_input(app: &App, frame: &mut Frame<'_>, area: Rect) {
    let block = Block::bordered();
    let inner = block.inner(area);
    // The end of a long line stays in view.
    let room = usize::from(inner.width).saturating_sub(3);
    let mut shown = app.input.as_str();
    while wrap::columns(shown) > room {
        shown = &shown[shown.chars().next().map_or(0, char::len_utf8)..];
    }
    frame.render_widget(Paragraph::new(format!("> {shown}")).block(block), area);
    let column = inner.x + 2 + wrap::columns(shown) as u16;
    frame.set_cursor_position((column.min(inner.right().saturating_sub(1)), inner.y));
}

/// The columns within a bordered area.
fn width(area: Rect) -> usize {
    usize::from(area.width.saturating_sub(2))
}

fn color(valence: f32) -> Color {
    if valence > 0.05 {
        Color::Green
    } else if valence < -0.05 {
        Color::Red
    } else {
        Color::Gray
    }
}

fn date(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

/// An enum's name as words: `SupportFollowUp` becomes `support follow up`.
fn word(value: &impl std::fmt::Debug) -> String {
    let mut words = String::new();
    for c in format!("{value:?}").chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words
}

/// Of 100: the least that four rows of eighths can show.
const LOWEST_BAR: f32 = 4.0;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ratatui::{Terminal, backend::TestBackend};
    use whisperengine::{
        BotId, ChannelId, Durability, EmotionReading, MemoryId, MemoryRecord, PrimaryEmotion, Priority,
        Recall, RecalledMemory, ScoreParts, SessionKey, StageTimings, TurnOutcome, TurnPlan, UserId,
    };

    use super::*;
    use crate::session;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn outcome(valence: f32) -> TurnOutcome {
        let mut memory = MemoryRecord::new(
            MemoryId::from_number(1),
            "Biscuit has surgery on Friday",
            at("2026-03-02T10:00:00Z"),
        );
        memory.speaker = Some("ana".to_owned());
        TurnOutcome {
            turn: MemoryId::from_number(2),
            session: SessionKey {
                bot: BotId::new("ember").unwrap(),
                user: UserId::new("ana").unwrap(),
                channel: ChannelId::new("desktop").unwrap(),
            },
            sequence: 1,
            priority: Priority::Normal,
            emotion: EmotionReading {
                primary: if valence < 0.0 {
                    PrimaryEmotion::Fear
                } else {
                    PrimaryEmotion::Joy
                },
                valence,
                intensity: 0.6,
                ..EmotionReading::neutral()
            },
            recalled: Recall {
                memories: vec![RecalledMemory {
                    memory: Arc::new(memory),
                    score: 0.75,
                    similarity: None,
                    parts: ScoreParts {
                        dense: 0.5,
                        lexical: 0.25,
                        ..ScoreParts::default()
                    },
                    matched_terms: vec!["Biscuit".to_owned()],
                }],
                degraded: None,
            },
            plan: TurnPlan::default(),
            stored: Durability::Durable,
            degraded: Vec::new(),
            timings: StageTimings::default(),
        }
    }

    fn screen(app: &App, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(app, frame)).unwrap();
        session::text(terminal.backend().buffer())
    }

    fn conversation() -> App {
        let mut app = App::new("ember", "ana");
        app.sent("What about Biscuit?", at("2026-03-03T09:00:00Z"));
        app.answered(
            &outcome(-0.5),
            "On 2026-03-02 you told me about the surgery.",
            at("2026-03-03T09:00:01Z"),
        );
        app
    }

    #[test]
    fn shows_what_was_said_recalled_and_felt() {
        let screen = screen(&conversation(), 120, 30);
        for shown in [
            "ana What about Biscuit?",
            "ember On 2026-03-02 you told me about the surgery.",
            "── 2026-03-03 ──",
            "Feels fear 0.60, valence -0.50",
            "2026-03-02 Biscuit has surgery on Friday",
            "  shares Biscuit: meaning 0.50 + words 0.25",
            "stored durably",
        ] {
            assert!(screen.contains(shown), "{shown:?} is missing in\n{screen}");
        }
    }

    #[test]
    fn a_brighter_feeling_is_a_higher_bar() {
        let mut app = App::new("ember", "ana");
        for valence in [-1.0, 0.0, 1.0] {
            app.answered(&outcome(valence), "I see.", at("2026-03-03T09:00:00Z"));
        }
        let screen = screen(&app, 110, 30);
        let rows: Vec<&str> = screen
            .lines()
            .skip(1)
            .take(4)
            .map(|row| row.split('│').nth(3).unwrap())
            .collect();
        let heights: Vec<usize> = (0..3)
            .map(|bar| {
                rows.iter()
                    .filter(|row| row.chars().nth(bar).is_some_and(|c| c != ' '))
                    .count()
            })
            .collect();
        assert_eq!(heights, [1, 2, 4], "{screen}");
    }

    #[test]
    fn a_new_conversation_says_how_to_begin() {
        let screen = screen(&App::new("ember", "ana"), 100, 24);
        assert!(screen.contains("Enter sends, Esc ends"), "{screen}");
        assert_eq!(screen.matches("nothing yet").count(), 3, "{screen}");
    }

    #[test]
    fn the_latest_words_are_in_view_until_the_person_scrolls_back() {
        let mut app = App::new("ember", "ana");
        for n in 0..60 {
            app.sent(&format!("line {n}"), at("2026-03-03T09:00:00Z"));
        }
        assert!(screen(&app, 80, 24).contains("line 59"));
        app.scroll_back(50);
        let scrolled = screen(&app, 80, 24);
        assert!(
            scrolled.contains("line 9") && !scrolled.contains("line 10"),
            "{scrolled}"
        );
        app.scroll_back(500);
        assert!(screen(&app, 80, 24).contains("line 0"));
        app.sent("new", at("2026-03-03T09:00:00Z"));
        assert!(
            screen(&app, 80, 24).contains("new"),
            "a new line scrolls to the end"
        );
    }

    #[test]
    fn a_fault_is_told_in_red() {
        let mut app = conversation();
        app.failed("message refused: message text is empty");
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        terminal.draw(|frame| draw(&app, frame)).unwrap();
        let last_row = terminal.backend().buffer().cell((0, 23)).unwrap().clone();
        assert_eq!((last_row.symbol(), last_row.fg), ("m", Color::Red));
    }

    #[test]
    fn a_degraded_turn_says_so() {
        let mut app = App::new("ember", "ana");
        let degradation = whisperengine::Degradation {
            component: whisperengine::Component::Store,
            reason: "messages wait in memory".to_owned(),
            since: None,
        };
        let outcome = TurnOutcome {
            stored: Durability::Volatile,
            degraded: vec![degradation],
            ..outcome(0.0)
        };
        app.answered(&outcome, "I see.", at("2026-03-03T09:00:00Z"));
        let screen = screen(&app, 110, 30);
        assert!(
            screen.contains("stored in memory only; store is degraded: messages wait in memory"),
            "{screen}"
        );
    }

    #[test]
    fn any_size_and_any_text_can_be_drawn() {
        let mut app = conversation();
        app.sent(
            "👩‍👩‍👧 日本語 e\u{301} \u{202e}rtl\u{202c} \u{1b}[31m\ttab\nline",
            at("2026-03-03T09:00:00Z"),
        );
        app.input = "日本語".repeat(50);
        for width in [1, 5, 20, 41, 200] {
            for height in [1, 4, 12, 60] {
                screen(&app, width, height);
            }
        }
    }

    #[test]
    fn forgetting_clears_the_screen() {
        let mut app = conversation();
        app.forgotten();
        let screen = screen(&app, 110, 30);
        assert!(
            !screen.contains("Biscuit") && screen.contains("everything about you is deleted"),
            "{screen}"
        );
    }
}
