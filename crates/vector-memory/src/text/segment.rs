//! Words of scripts that are written without spaces, and stems of Korean.
//!
//! Without a dictionary the best unit is a pair of characters: it is in the word that is asked for and
//! rarely in another. Particles and question words are cut out first, longest first, because a pair that
//! spans a particle joins what does not belong together.

/// How a script is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Han,
    Hiragana,
    Katakana,
    Hangul,
    Thai,
    Other,
}

/// Whether a run of letters needs cutting at all.
pub(super) fn needs_cutting(run: &str) -> bool {
    run.chars().any(|c| class_of(c) != Class::Other)
}

/// Calls `visit` with each part of `run` that is searched for.
pub(super) fn cut<'a>(run: &'a str, mut visit: impl FnMut(&'a str)) {
    let mut rest = run;
    while let Some(first) = rest.chars().next() {
        let class = class_of(first);
        let end = rest
            .char_indices()
            .find(|&(_, c)| class_of(c) != class)
            .map_or(rest.len(), |(at, _)| at);
        let (part, after) = rest.split_at(end);
        rest = after;
        match class {
            Class::Other | Class::Katakana => visit(part),
            Class::Han => without_particles(part, &HAN, &mut |part| {
                pairs(part, &mut visit);
                singles(part, &mut visit);
            }),
            Class::Hiragana => without_particles(part, &HIRAGANA, &mut |part| {
                if part.chars().nth(1).is_some() {
                    pairs(part, &mut visit);
                }
            }),
            Class::Hangul => korean(part, &mut visit),
            Class::Thai => without_particles(part, &THAI, &mut |part| clusters(part, &mut visit)),
        }
    }
}

fn class_of(c: char) -> Class {
    match c {
        '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}'
        | '々' => Class::Han,
        '\u{3041}'..='\u{309f}' => Class::Hiragana,
        '\u{30a0}'..='\u{30ff}' => Class::Katakana,
        '\u{ac00}'..='\u{d7a3}' => Class::Hangul,
        '\u{e00}'..='\u{e7f}' | '\u{e80}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' => {
            Class::Thai
        }
        _ => Class::Other,
    }
}

/// Calls `visit` with what lies between the particles; of two that begin at one place the longer counts.
fn without_particles<'a>(part: &'a str, particles: &[&str], visit: &mut dyn FnMut(&'a str)) {
    let (mut from, mut at) = (0, 0);
    while at < part.len() {
        let rest = &part[at..];
        let found = particles
            .iter()
            .filter(|particle| rest.starts_with(**particle))
            .map(|particle| particle.len())
            .max();
        if let Some(len) = found {
            if from < at {
                visit(&part[from..at]);
            }
            at += len;
            from = at;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    if from < part.len() {
        visit(&part[from..]);
    }
}

fn pairs<'a>(part: &'a str, visit: &mut dyn FnMut(&'a str)) {
    let starts: Vec<usize> = part
        .char_indices()
        .map(|(at, _)| at)
        .chain([part.len()])
        .collect();
    for window in starts.windows(3) {
        visit(&part[window[0]..window[2]]);
    }
}

fn singles<'a>(part: &'a str, visit: &mut dyn FnMut(&'a str)) {
    for (at, c) in part.char_indices() {
        visit(&part[at..at + c.len_utf8()]);
    }
}

/// A Korean word without its particle or ending, and its pairs of syllables when it is long.
fn korean<'a>(word: &'a str, visit: &mut dyn FnMut(&'a str)) {
    if KOREAN_STOPS.contains(&word) {
        return;
    }
    let stem = KOREAN_ENDINGS
        .iter()
        .filter_map(|ending| word.strip_suffix(ending))
        .filter(|stem| !stem.is_empty())
        .min_by_key(|stem| stem.len())
        .unwrap_or(word);
    if KOREAN_STOPS.contains(&stem) {
        return;
    }
    visit(stem);
    if stem.chars().nth(2).is_some() {
        pairs(stem, visit);
    }
}

/// Pairs of Thai clusters: a consonant with the vowels and tones that belong to it.
fn clusters<'a>(part: &'a str, visit: &mut dyn FnMut(&'a str)) {
    let mut starts = Vec::new();
    let mut leads = false;
    for (at, c) in part.char_indices() {
        let is_mark = matches!(c, '\u{e30}'..='\u{e3a}' | '\u{e45}'..='\u{e4e}');
        if !is_mark && !leads {
            starts.push(at);
        }
        leads = matches!(c, '\u{e40}'..='\u{e44}');
    }
    starts.push(part.len());
    if starts.len() == 2 {
        visit(part);
    }
    for window in starts.windows(3) {
        visit(&part[window[0]..window[2]]);
    }
}

const HAN: [&str; 74] = [
    "我们",
    "你们",
    "他们",
    "她们",
    "我",
    "你",
    "您",
    "他",
    "她",
    "它",
    "的",
    "了",
    "是",
    "在",
    "有",
    "和",
    "跟",
    "与",
    "对",
    "也",
    "都",
    "就",
    "还",
    "很",
    "吗",
    "呢",
    "吧",
    "啊",
    "把",
    "被",
    "给",
    "从",
    "到",
    "着",
    "过了",
    "什么",
    "甚么",
    "怎么",
    "怎样",
    "为什么",
    "哪里",
    "哪个",
    "哪儿",
    "哪",
    "谁",
    "几",
    "多少",
    "这个",
    "那个",
    "这",
    "那",
    "不",
    "没有",
    "没",
    "现在",
    "会",
    "要",
    "想",
    "能",
    "可以",
    "个",
    "叫什么",
    "何时",
    "一个",
    "一下",
    "是不是",
    "有没有",
    "請",
    "请",
    "私達",
    "私",
    "何",
    "今",
    "俺",
];

const HIRAGANA: [&str; 70] = [
    "は",
    "が",
    "を",
    "に",
    "で",
    "と",
    "も",
    "の",
    "へ",
    "や",
    "か",
    "ね",
    "よ",
    "な",
    "から",
    "まで",
    "より",
    "です",
    "ます",
    "ました",
    "でした",
    "した",
    "して",
    "する",
    "している",
    "している",
    "してる",
    "いる",
    "ある",
    "った",
    "って",
    "だ",
    "だった",
    "だっけ",
    "っけ",
    "ない",
    "たい",
    "こと",
    "もの",
    "これ",
    "それ",
    "あれ",
    "この",
    "その",
    "あの",
    "どこ",
    "どれ",
    "どの",
    "だれ",
    "いつ",
    "なに",
    "なん",
    "どう",
    "なぜ",
    "わたし",
    "ぼく",
    "おれ",
    "あなた",
    "うち",
    "ください",
    "けど",
    "でも",
    "ので",
    "のに",
    "んだ",
    "んで",
    "んでる",
    "ている",
    "てる",
    "た",
];

const THAI: [&str; 60] = [
    "ฉัน",
    "ผม",
    "ดิฉัน",
    "หนู",
    "เรา",
    "คุณ",
    "เขา",
    "เธอ",
    "มัน",
    "ที่",
    "ไหน",
    "อะไร",
    "ใคร",
    "เมื่อไหร่",
    "เมื่อไร",
    "ทำไม",
    "อย่างไร",
    "ยังไง",
    "เท่าไหร่",
    "เท่าไร",
    "กี่",
    "และ",
    "หรือ",
    "แต่",
    "ของ",
    "ใน",
    "กับ",
    "จาก",
    "ให้",
    "ได้",
    "เป็น",
    "คือ",
    "มี",
    "ไม่",
    "ไป",
    "มา",
    "แล้ว",
    "จะ",
    "กำลัง",
    "เคย",
    "อยู่",
    "นี้",
    "นั้น",
    "ก็",
    "ว่า",
    "ครับ",
    "ค่ะ",
    "คะ",
    "นะ",
    "จ้ะ",
    "ด้วย",
    "มาก",
    "เลย",
    "บ้าง",
    "ไหม",
    "มั้ย",
    "อีก",
    "ถึง",
    "โดย",
    "เพราะ",
];

const KOREAN_STOPS: [&str; 46] = [
    "나",
    "나는",
    "난",
    "내",
    "내가",
    "나의",
    "나를",
    "저",
    "저는",
    "전",
    "제",
    "제가",
    "너",
    "네",
    "우리",
    "그",
    "이",
    "저기",
    "거",
    "것",
    "뭐",
    "뭐야",
    "뭐지",
    "뭐였지",
    "무엇",
    "무슨",
    "어디",
    "어디야",
    "언제",
    "누구",
    "누구야",
    "왜",
    "어떻게",
    "어느",
    "몇",
    "있어",
    "있지",
    "있다",
    "있는",
    "없어",
    "해",
    "하는",
    "지금",
    "그리고",
    "근데",
    "좀",
];

const KOREAN_ENDINGS: [&str; 62] = [
    "은",
    "는",
    "이",
    "가",
    "을",
    "를",
    "에",
    "에서",
    "에게",
    "한테",
    "의",
    "도",
    "로",
    "으로",
    "와",
    "과",
    "하고",
    "랑",
    "이랑",
    "부터",
    "까지",
    "만",
    "보다",
    "처럼",
    "야",
    "이야",
    "이에요",
    "예요",
    "입니다",
    "이지",
    "이었어",
    "였어",
    "이라고",
    "라고",
    "이고",
    "고",
    "다",
    "지",
    "니",
    "아",
    "어",
    "아요",
    "어요",
    "해",
    "해요",
    "했어",
    "했어요",
    "했다",
    "하는",
    "하고",
    "합니다",
    "한다",
    "았어",
    "었어",
    "았어요",
    "었어요",
    "았다",
    "었다",
    "습니다",
    "지만",
    "는데",
    "인데",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(run: &str, expected: &[&str]) {
        let mut found = Vec::new();
        cut(run, |part| found.push(part));
        assert_eq!(found, expected, "{run}");
    }

    #[test]
    fn chinese_and_japanese_are_cut_into_pairs_without_particles() {
        check("我对花生过敏", &["花生", "生过", "过敏", "花", "生", "过", "敏"]);
        check("ネコが好き", &["ネコ", "好"]);
        check("そばを食べた", &["そば", "食"]);
        check("abc猫", &["abc", "猫"]);
    }

    #[test]
    fn korean_loses_particles_and_endings() {
        check("고양이는", &["고양이", "고양", "양이"]);
        check("살아", &["살"]);
        check("나는", &[]);
    }

    #[test]
    fn thai_clusters_keep_their_vowels_and_tones() {
        check("ฉันมีแมว", &["แมว"]);
        assert!(needs_cutting("แมว") && !needs_cutting("cat"));
    }
}
