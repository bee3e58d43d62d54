//! The keyboard, the screen, and what happens meanwhile.

use std::{error::Error, thread, time::Duration};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc;

use crate::{
    app::App,
    session::{Request, Session},
    view,
};

/// Runs until the person ends it. The terminal is as before afterwards, after a panic too.
pub(crate) async fn run(session: &Session) -> Result<(), Box<dyn Error>> {
    let mut app = session.app().await?;
    let mut events = keyboard();
    let mut looks = tokio::time::interval(LOOK_FOR_SUGGESTIONS);
    let mut terminal = ratatui::try_init()?;
    let result = async {
        loop {
            terminal.draw(|frame| view::draw(&app, frame))?;
            tokio::select! {
                event = events.recv() => match event {
                    Some(Event::Key(key)) if key.kind != KeyEventKind::Release => {
                        let Some(line) = press(&mut app, key) else { continue };
                        let request = Request::read(&line);
                        if request == Request::Quit {
                            return Ok(());
                        }
                        if let Request::Say(text) = request {
                            // Drawn before the answer is there.
                            let mut waiting = app.clone();
                            waiting.sent(text, session.now());
                            terminal.draw(|frame| view::draw(&waiting, frame))?;
                        }
                        session.carry_out(request, &mut app).await;
                    }
                    Some(_) => {}
                    None => return Ok(()),
                },
                _ = looks.tick() => {
                    for suggestion in session.unasked().await {
                        app.suggested(&suggestion, session.now());
                    }
                }
            }
        }
    }
    .await;
    ratatui::restore();
    result
}

/// Takes a key; returns the line that it completes. Esc and Ctrl-C complete `/quit`.
fn press(app: &mut App, key: KeyEvent) -> Option<String> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Esc => return Some("/quit".to_owned()),
        KeyCode::Char('c') if control => return Some("/quit".to_owned()),
        KeyCode::Char('u') if control => app.input.clear(),
        KeyCode::Char(c) if !control => app.input.push(c),
        KeyCode::Backspace => drop(app.input.pop()),
        KeyCode::PageUp => app.scroll_back(SCROLL_LINES),
        KeyCode::PageDown => app.scroll = app.scroll.saturating_sub(SCROLL_LINES),
        KeyCode::Enter => return Some(std::mem::take(&mut app.input)),
        _ => {}
    }
    None
}

/// Key presses as they come. The thread ends with the process or with the receiver.
fn keyboard() -> mpsc::UnboundedReceiver<Event> {
    let (sender, receiver) = mpsc::unbounded_channel();
    thread::spawn(move || {
        while let Ok(event) = event::read() {
            if sender.send(event).is_err() {
                break;
            }
        }
    });
    receiver
}

const LOOK_FOR_SUGGESTIONS: Duration = Duration::from_secs(15);
const SCROLL_LINES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn type_in(app: &mut App, text: &str) {
        for c in text.chars() {
            assert_eq!(press(app, KeyCode::Char(c).into()), None);
        }
    }

    #[test]
    fn keys_write_a_line_and_enter_sends_it() {
        let mut app = App::new("ember", "ana");
        type_in(&mut app, "hé🎉x");
        press(&mut app, KeyCode::Backspace.into());
        assert_eq!(press(&mut app, KeyCode::Enter.into()).as_deref(), Some("hé🎉"));
        assert_eq!(app.input, "");
        type_in(&mut app, "oops");
        press(&mut app, KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL));
        assert_eq!(app.input, "");
    }

    #[test]
    fn escape_and_control_c_end_it() {
        let mut app = App::new("ember", "ana");
        for key in [
            KeyCode::Esc.into(),
            KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL),
        ] {
            let line = press(&mut app, key).unwrap();
            assert_eq!(Request::read(&line), Request::Quit);
        }
    }
}
