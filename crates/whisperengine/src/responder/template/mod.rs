//! Replies without a language model: at most two sentences and a question, in the language of the talk.
//!
//! What comes first decides: somebody in danger; a greeting or thanks; a question, answered from facts or with the
//! passage of a memory and its date, or not at all and saying so; the event or the feeling that the message tells
//! of; a fact that it states. Nothing that the plan notes for a writer is said.
//!
//! | message | reply |
//! |---|---|
//! | My dog Biscuit has surgery on Friday and I can't stop worrying. | Of course you're worried about Biscuit. I'm keeping my fingers crossed. How are you holding up? |
//! | Where do I live? | You live in Munich; you told me on Saturday, 7 March. |
//! | ¿Cuándo nací? | Eso todavía no lo sé. ¿Me lo cuentas? |

mod answer;
mod cues;
mod feeling;
mod phrasebook;
mod words;

use whisperengine_profile::{Profile, Statement};
use whisperengine_types::{
    BoxStream, Fact, Message, MomentPlan, MomentType, PrimaryEmotion, ReplyRequest, Responder,
    ResponderError, SafetyLevel, Slot, TurnOutcome, WholeReply,
};

use cues::Heard;
use feeling::NAMED;
use phrasebook::{Cue, Phrasebook, Saying};
use words::{Calendar, capital, quoted, spoken};

/// Writes replies from the outcome alone. The same outcome gives the same reply.
#[derive(Debug, Clone, Copy, Default)]
pub struct TemplateResponder;

impl Responder for TemplateResponder {
    fn respond(&self, request: ReplyRequest) -> BoxStream<Result<String, ResponderError>> {
        let reply = Reply::new(&request.message, &request.outcome).write();
        Box::pin(WholeReply::new(Ok(reply)))
    }
}

/// A reply in the making.
struct Reply<'a> {
    message: &'a Message,
    outcome: &'a TurnOutcome,
    book: &'static Phrasebook,
    calendar: Calendar,
    heard: Heard,
    /// The message in lower case.
    lower: String,
    asks: bool,
    /// What the message itself says of its writer.
    stated: Vec<Fact>,
}

impl<'a> Reply<'a> {
    fn new(message: &'a Message, outcome: &'a TurnOutcome) -> Self {
        let language = outcome.context.language.or(outcome.emotion.language);
        let zone = outcome.context.zone.as_ref().or(message.zone.as_ref());
        let heard = Heard::new(&message.text);
        let book = match language {
            Some(_) => Phrasebook::of(language),
            None => Phrasebook::of_courtesy(&heard),
        };
        let asking = book.cues(Cue::Question);
        let asks = heard.has_mark
            || if book.joined {
                asking.end(&heard)
            } else {
                asking.begin(&heard)
            };
        let statement = Statement {
            zone,
            language,
            audience: message.audience.clone(),
            crisis: outcome.emotion.safety.level > SafetyLevel::None,
            ..Statement::new(outcome.turn.clone(), &message.text, message.sent_at)
        };
        let mut stated = Profile::new();
        stated.learn(&statement);
        Self {
            message,
            outcome,
            book,
            calendar: Calendar::new(zone, message.sent_at),
            heard,
            lower: message.text.to_lowercase(),
            asks,
            stated: stated
                .facts_for(message.sent_at, &message.audience)
                .into_iter()
                .cloned()
                .collect(),
        }
    }

    fn write(&self) -> String {
        let ways = [
            Self::to_danger,
            Self::to_courtesy,
            Self::to_question,
            Self::to_request,
            Self::to_fact,
            Self::to_feeling,
            Self::to_statement,
        ];
        let said = ways.iter().find_map(|way| way(self));
        said.unwrap_or_else(|| self.say(Saying::Neutral))
    }

    /// Greetings, thanks, farewells, and a mere yes or no.
    fn to_courtesy(&self) -> Option<String> {
        let words = self.length();
        if self.hears(Cue::HowAreYou) && (words <= MAX_COURTESY || self.begins(Cue::HowAreYou)) {
            return Some(self.say(Saying::HowAreYou));
        }
        if words > MAX_COURTESY || self.asks || self.event().is_some() || !self.stated.is_empty() {
            return None;
        }
        let courtesies = [
            (Cue::Thanks, Saying::Thanks),
            (Cue::Goodbye, Saying::Goodbye),
            (Cue::Greeting, Saying::Greeting),
        ];
        let heard = courtesies.into_iter().find(|(cue, _)| match cue {
            Cue::Goodbye => self.hears(*cue),
            _ => self.begins(*cue),
        });
        if let Some((_, saying)) = heard {
            return Some(self.say(saying));
        }
        let is_thanks = self.outcome.emotion.primary == PrimaryEmotion::Gratitude && self.hears(Cue::Thanks);
        if is_thanks {
            return Some(self.say(Saying::Thanks));
        }
        (words <= MAX_ACK && self.begins(Cue::Ack)).then(|| self.say(Saying::Ack))
    }

    fn to_question(&self) -> Option<String> {
        if !self.asks {
            return None;
        }
        // Somebody whom the question names is not what it asks for.
        let is_named = self.outcome.answers.first().is_some_and(|fact| {
            let value = fact.value.to_lowercase();
            NAMED.contains(&fact.slot) && !value.is_empty() && self.lower.contains(&value)
        });
        let of_the_named = if is_named {
            Self::memory_answer
        } else {
            Self::facts_answer
        };
        let ways = [
            of_the_named,
            Self::facts_answer,
            Self::to_request,
            Self::about_bot,
            Self::memory_answer,
            Self::nothing_then,
        ];
        if let Some(answer) = ways.iter().find_map(|way| way(self)) {
            return Some(answer);
        }
        if self.is_outcry() {
            return None;
        }
        let asked = [(Cue::Advice, Saying::Advice), (Cue::Me, Saying::UnknownSelf)];
        let asked = asked.into_iter().find(|(cue, _)| self.hears(*cue));
        Some(self.say(asked.map_or(Saying::UnknownWorld, |(_, saying)| saying)))
    }

    fn about_bot(&self) -> Option<String> {
        let is_meant = self.hears(Cue::AboutBot) && !self.hears(Cue::Me);
        is_meant.then(|| self.say(Saying::AboutBot))
    }

    /// What they want done: what is known of them, a chat, or something that takes a language model.
    fn to_request(&self) -> Option<String> {
        if self.hears(Cue::AboutMe) {
            return Some(self.known().unwrap_or_else(|| self.say(Saying::UnknownSelf)));
        }
        if self.hears(Cue::Chat) {
            return Some(self.say(Saying::Chat));
        }
        let asks_for_work = self.book.cues(Cue::Help);
        let is_request =
            asks_for_work.begin(&self.heard) || self.asks && asks_for_work.in_message(&self.heard);
        is_request.then(|| self.say(Saying::Help))
    }

    /// A fact that the message states, where no event or strong feeling goes with it.
    fn to_fact(&self) -> Option<String> {
        if self.asks || self.event().is_some() || self.outcome.emotion.valence.abs() > STRONG {
            return None;
        }
        let fact = self.stated.iter().find(|fact| LEARNED.contains(&fact.slot))?;
        let value = capital(&spoken(&fact.value, MAX_VALUE));
        Some(self.fill(Saying::Learned, &[("{value}", &value)]))
    }

    /// An old memory that the message calls up.
    fn to_statement(&self) -> Option<String> {
        if self.asks {
            return None;
        }
        let moment = self
            .outcome
            .plan
            .moments
            .first()
            .filter(|moment| self.is_sayable(moment))?;
        let when = self.calendar.when(self.book, moment.said_at);
        let quote = quoted(self.book, &moment.quote);
        let old = self.fill(Saying::YouWrote, &[("{when}", &when), ("{quote}", &quote)]);
        Some(format!("{old} {}", self.say(Saying::MomentAsk)))
    }

    /// Moments are drawn from all talks, and only some lead to a question that fits any of them.
    fn is_sayable(&self, moment: &MomentPlan) -> bool {
        let can_be_asked = matches!(
            moment.kind,
            MomentType::InterestDevelopment | MomentType::ProblemResolution | MomentType::SupportFollowUp
        );
        let quote = moment.quote.trim();
        let is_whole = !quote.is_empty() && !quote.ends_with(['?', '？', '؟']);
        let dialogue = &self.outcome.context.dialogue;
        can_be_asked
            && is_whole
            && self.message.audience.is_private()
            && self.may_mention(quote)
            && !dialogue.iter().any(|line| line.text.contains(quote))
    }

    /// The length of the message in words, of two characters where words are joined.
    fn length(&self) -> usize {
        if self.book.joined {
            self.heard.chars().div_ceil(2)
        } else {
            self.heard.words()
        }
    }

    fn hears(&self, cue: Cue) -> bool {
        self.book.cues(cue).in_message(&self.heard)
    }

    fn begins(&self, cue: Cue) -> bool {
        self.book.cues(cue).begin(&self.heard)
    }

    fn say(&self, saying: Saying) -> String {
        self.fill(saying, &[])
    }

    /// A variant of the saying that was not said of late, with its places filled.
    fn fill(&self, saying: Saying, parts: &[(&str, &str)]) -> String {
        let variants = self.book.variants(saying);
        let from = self.outcome.sequence as usize % variants.len();
        let order = (0..variants.len()).map(|step| &variants[(from + step) % variants.len()]);
        let fresh = order.clone().find(|variant| !self.said_of_late(variant));
        let pattern = fresh.unwrap_or(&variants[from]);
        capital(&filled(pattern, parts))
    }

    /// Whether the bot said this in its last lines.
    fn said_of_late(&self, pattern: &str) -> bool {
        let core = pattern
            .split(['{', '}'])
            .max_by_key(|part| part.len())
            .unwrap_or_default();
        let lines = self.outcome.context.dialogue.iter().rev();
        let mut own = lines.filter(|line| line.from_bot).take(RECENT_LINES);
        own.any(|line| line.text.contains(core.trim()))
    }
}

/// The pattern with its places filled in one pass, so that no part is taken for a place.
fn filled(pattern: &str, parts: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(pattern.len() + 64);
    let mut rest = pattern;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let part = parts.iter().find(|(place, _)| rest.starts_with(place));
        let (text, length) = part.map_or(("{", 1), |(place, text)| (*text, place.len()));
        out.push_str(text);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

/// Courtesies in more words are statements that begin with one.
const MAX_COURTESY: usize = 6;
const MAX_ACK: usize = 2;
/// A stronger valence is answered before a fact is acknowledged.
const STRONG: f32 = 0.5;
const MAX_VALUE: usize = 80;
/// The bot's own lines that are looked through for repetitions.
const RECENT_LINES: usize = 3;
/// Facts that are acknowledged by their value.
const LEARNED: &[Slot] = &[
    Slot::Name,
    Slot::Residence,
    Slot::Occupation,
    Slot::Employer,
    Slot::Pet,
    Slot::Hobby,
    Slot::Like,
    Slot::Birthday,
    Slot::Allergy,
    Slot::Phone,
    Slot::Note,
    Slot::Sibling,
    Slot::Child,
    Slot::Partner,
    Slot::Friend,
];
