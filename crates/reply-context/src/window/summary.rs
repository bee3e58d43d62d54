//! What is kept of lines that fall out of a window: their most informative sentences.

use whisperengine_types::{DialogueLine, MemoryId, Timestamp, UserId};

use crate::sentence::{same_words, sentences};

/// A sentence kept of a line that fell out of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SummaryLine {
    /// The line as a memory, where it is stored.
    pub source: Option<MemoryId>,
    /// Who wrote it.
    pub author: Option<UserId>,
    /// Who said it, where several people talk.
    pub name: Option<String>,
    /// Whether the bot said it.
    pub from_bot: bool,
    /// The sentence.
    pub text: String,
    /// When it was said.
    pub at: Timestamp,
    /// How informative it is; the least informative line goes first.
    pub weight: u8,
}

/// Adds the sentences of `line` that are worth keeping.
pub(super) fn extract(summary: &mut Vec<SummaryLine>, line: &DialogueLine, author: Option<&UserId>) {
    for sentence in sentences(&line.text) {
        let weight = weight(sentence, line.from_bot);
        if weight < WORTH || summary.iter().any(|kept| same_words(&kept.text, sentence)) {
            continue;
        }
        summary.push(SummaryLine {
            source: line.id.clone(),
            author: author.cloned(),
            name: line.name.clone(),
            from_bot: line.from_bot,
            text: cut(sentence),
            at: line.at,
            weight,
        });
    }
}

/// Drops the least informative lines, the oldest of equals first, until at most `bytes` remain.
pub(super) fn bound(summary: &mut Vec<SummaryLine>, bytes: usize) {
    let mut held: usize = summary.iter().map(size).sum();
    while held > bytes {
        let Some(least) = (0..summary.len()).min_by_key(|&at| (summary[at].weight, at)) else {
            return;
        };
        held -= size(&summary.remove(least));
    }
}

/// What a line costs beside its text: date and marks.
const LINE_BYTES: usize = 20;
/// A sentence of a lower weight is not kept.
const WORTH: u8 = 3;
const SENTENCE_CHARS: usize = 240;

fn size(line: &SummaryLine) -> usize {
    line.text.len() + line.name.as_ref().map_or(0, String::len) + LINE_BYTES
}

fn cut(sentence: &str) -> String {
    match sentence.char_indices().nth(SENTENCE_CHARS) {
        None => sentence.to_owned(),
        Some((end, _)) => {
            let end = sentence[..end].rfind(' ').unwrap_or(end);
            format!("{}…", &sentence[..end])
        }
    }
}

/// Names, numbers, commitments and statements about oneself count; questions, small talk and the bot's own
/// words do not.
fn weight(sentence: &str, from_bot: bool) -> u8 {
    let unspaced = sentence.chars().any(is_unspaced);
    let letters = sentence.chars().filter(|c| c.is_alphanumeric()).count();
    // Shorter sentences are greetings and asides.
    let least_letters = if unspaced { 5 } else { 10 };
    if letters < least_letters || is_question(sentence, unspaced) {
        return 0;
    }
    let words = Words::of(sentence, unspaced);
    let weight = 3 * u8::from(sentence.chars().any(char::is_numeric))
        + 3 * words.names.min(2)
        + 2 * u8::from(words.first_person)
        + 2 * u8::from(words.commitment)
        + u8::from(letters > 30);
    // The bot mostly repeats; what it was asked to note down holds a number or a name.
    if from_bot { weight / 2 } else { weight }
}

fn is_question(sentence: &str, unspaced: bool) -> bool {
    sentence.ends_with(['?', '？', '؟'])
        || (unspaced
            && ["吗", "呢", "ですか", "ますか"]
                .iter()
                .any(|end| sentence.ends_with(end)))
}

/// What the words of a sentence speak for.
struct Words {
    names: u8,
    first_person: bool,
    commitment: bool,
}

impl Words {
    fn of(sentence: &str, unspaced: bool) -> Self {
        let mut found = Self {
            names: 0,
            first_person: unspaced && UNSPACED_FIRST_PERSON.iter().any(|word| sentence.contains(word)),
            commitment: unspaced && UNSPACED_COMMITMENT.iter().any(|word| sentence.contains(word)),
        };
        let words = sentence.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '’');
        for (at, word) in words.filter(|word| !word.is_empty()).enumerate() {
            let lower = word.to_lowercase();
            let stem = lower.split(['\'', '’']).next().unwrap_or(&lower);
            let mine = FIRST_PERSON.contains(&stem);
            found.first_person |= mine;
            found.commitment |=
                COMMITMENT.contains(&stem) || lower.ends_with("'ll") || lower.ends_with("’ll");
            let capital = word.chars().next().is_some_and(char::is_uppercase);
            if capital && at > 0 && !mine && word.chars().count() > 1 {
                found.names = found.names.saturating_add(1);
            }
        }
        found
    }
}

/// Scripts without blanks between words, in which a word takes few characters.
fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c), 0xe00..=0xeff | 0x3040..=0x30ff | 0x4e00..=0x9fff)
}

const FIRST_PERSON: &[&str] = &[
    "i",
    "im",
    "ive",
    "my",
    "mine",
    "me",
    "we",
    "our",
    "ich",
    "mein",
    "meine",
    "meinen",
    "meinem",
    "meiner",
    "mir",
    "mich",
    "wir",
    "unser",
    "unsere",
    "je",
    "j",
    "mon",
    "ma",
    "mes",
    "moi",
    "nous",
    "notre",
    "yo",
    "mi",
    "mis",
    "me",
    "nosotros",
    "nuestro",
    "io",
    "mio",
    "mia",
    "miei",
    "noi",
    "eu",
    "meu",
    "minha",
    "nós",
    "ik",
    "mijn",
    "wij",
    "ons",
    "ja",
    "mój",
    "moja",
    "moje",
    "mam",
    "jestem",
    "я",
    "мой",
    "моя",
    "моё",
    "мои",
    "меня",
    "мне",
    "мы",
    "у",
    "ben",
    "benim",
    "bana",
    "biz",
    "أنا",
    "عندي",
    "لدي",
    "मैं",
    "मेरा",
    "मेरी",
    "मेरे",
    "मुझे",
    "हम",
    "나",
    "나는",
    "난",
    "내",
    "제",
    "저는",
    "우리",
    "saya",
    "aku",
    "kami",
    "tôi",
    "mình",
    "em",
];
const COMMITMENT: &[&str] = &[
    "will",
    "must",
    "going",
    "plan",
    "planning",
    "promise",
    "promised",
    "need",
    "tomorrow",
    "appointment",
    "deadline",
    "decided",
    "werde",
    "muss",
    "morgen",
    "termin",
    "versprochen",
    "vorhabe",
    "dois",
    "vais",
    "demain",
    "promis",
    "voy",
    "debo",
    "tengo",
    "mañana",
    "prometo",
    "devo",
    "domani",
    "prometto",
    "vou",
    "amanhã",
    "prometi",
    "moet",
    "zal",
    "ga",
    "afspraak",
    "muszę",
    "jutro",
    "będę",
    "должен",
    "должна",
    "буду",
    "завтра",
    "обещал",
    "обещала",
    "yarın",
    "lazım",
    "söz",
    "سوف",
    "غدا",
    "يجب",
    "कल",
    "वादा",
    "내일",
    "약속",
    "besok",
    "harus",
    "janji",
    "mai",
    "phải",
    "sẽ",
    "hứa",
];
const UNSPACED_FIRST_PERSON: &[&str] = &["我", "私", "僕", "俺", "うちの", "ฉัน", "ผม", "เรา"];
const UNSPACED_COMMITMENT: &[&str] = &[
    "明天",
    "必须",
    "打算",
    "答应",
    "明日",
    "約束",
    "予定",
    "พรุ่งนี้",
    "ต้อง",
    "สัญญา",
];
