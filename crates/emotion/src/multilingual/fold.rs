//! Characters as the model sees them: lower case, without accents, in one form where writers use several.

/// What a character is for the features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// White space.
    Space,
    /// A letter of a script that puts spaces between words; digits and marks too.
    Letter,
    /// A Hangul syllable or letter: spaced, but one character says as much as several of another script.
    Hangul,
    /// A character of a script without spaces: Han, kana, Thai.
    Dense,
    /// Punctuation and symbols.
    Sign,
    /// Joiners, variation selectors, vowel points: as if it were not there.
    Nothing,
}

/// A character and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Folded {
    pub(crate) c: char,
    pub(crate) kind: Kind,
    /// The character had an accent, which is gone.
    pub(crate) is_accented: bool,
}

/// Folds one character.
#[inline]
pub(crate) fn fold(c: char) -> Folded {
    if c.is_ascii() {
        ASCII[c as usize]
    } else {
        fold_wide(c)
    }
}

static ASCII: [Folded; 128] = {
    let mut table = [plain(' ', Kind::Space); 128];
    let mut byte = 0;
    while byte < 128 {
        let c = byte as u8;
        table[byte] = match c {
            b'0'..=b'9' => plain('0', Kind::Letter),
            b'a'..=b'z' | b'A'..=b'Z' | b'\'' => plain(c.to_ascii_lowercase() as char, Kind::Letter),
            0..=b' ' | 0x7F => plain(' ', Kind::Space),
            _ => plain(c as char, Kind::Sign),
        };
        byte += 1;
    }
    table
};

const fn plain(c: char, kind: Kind) -> Folded {
    Folded {
        c,
        kind,
        is_accented: false,
    }
}

fn fold_wide(c: char) -> Folded {
    match c {
        '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}' => fold_latin(c),
        '\u{300}'..='\u{36F}' => Folded {
            is_accented: true,
            ..plain(c, Kind::Nothing)
        },
        '\u{2018}' | '\u{2019}' | '\u{2BC}' => plain('\'', Kind::Letter),
        '\u{401}' | '\u{451}' => plain('е', Kind::Letter),
        '\u{622}' | '\u{623}' | '\u{625}' | '\u{671}' => plain('ا', Kind::Letter),
        '\u{649}' | '\u{6CC}' => plain('ي', Kind::Letter),
        '\u{629}' => plain('ه', Kind::Letter),
        '\u{901}' => plain('\u{902}', Kind::Letter),
        '\u{660}'..='\u{669}' | '\u{966}'..='\u{96F}' => plain('0', Kind::Letter),
        '\u{900}'..='\u{93B}' | '\u{93D}'..='\u{963}' | '\u{971}'..='\u{97F}' => plain(c, Kind::Letter),
        '\u{E00}'..='\u{E7F}' => plain(c, Kind::Dense),
        '\u{1100}'..='\u{11FF}' | '\u{3131}'..='\u{318E}' | '\u{AC00}'..='\u{D7A3}' => plain(c, Kind::Hangul),
        '\u{3005}' | '\u{3041}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' => {
            plain(c, Kind::Dense)
        }
        '\u{FF01}'..='\u{FF5E}' => {
            let narrow = char::from_u32(c as u32 - 0xFEE0).unwrap_or(c);
            ASCII
                .get(narrow as usize)
                .copied()
                .unwrap_or(plain(c, Kind::Sign))
        }
        '\u{64B}'..='\u{65F}'
        | '\u{640}'
        | '\u{670}'
        | '\u{93C}'
        | '\u{200B}'..='\u{200F}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{1F3FB}'..='\u{1F3FF}'
        | '\u{2060}'
        | '\u{FEFF}' => plain(c, Kind::Nothing),
        _ if c.is_whitespace() => plain(' ', Kind::Space),
        _ if c.is_alphanumeric() => {
            let mut lower = c.to_lowercase();
            plain(lower.next().unwrap_or(c), Kind::Letter)
        }
        _ if c.is_control() => plain(' ', Kind::Space),
        _ => plain(c, Kind::Sign),
    }
}

/// A Latin letter without its accent.
fn fold_latin(c: char) -> Folded {
    let lower = c.to_lowercase().next().unwrap_or(c);
    let base = BASES
        .iter()
        .find(|(_, accented)| accented.contains(lower))
        .map_or(lower, |&(base, _)| base);
    let kind = if lower.is_alphabetic() {
        Kind::Letter
    } else {
        Kind::Sign
    };
    Folded {
        c: base,
        kind,
        is_accented: base != lower,
    }
}

/// The accented letters of each letter.
const BASES: [(char, &str); 20] = [
    ('a', "àáâãäåāăąǎạảấầẩẫậắằẳẵặ"),
    ('e', "èéêëēĕėęěẹẻẽếềểễệ"),
    ('i', "ìíîïĩīĭįıỉịǐ"),
    ('o', "òóôõöøōŏőơọỏốồổỗộớờởỡợǒ"),
    ('u', "ùúûüũūŭůűųưụủứừửữựǔ"),
    ('y', "ýÿŷỳỵỷỹ"),
    ('c', "çćĉċč"),
    ('d', "ďđð"),
    ('g', "ĝğġģ"),
    ('h', "ĥħ"),
    ('j', "ĵ"),
    ('k', "ķ"),
    ('l', "ĺļľŀł"),
    ('n', "ñńņňŉ"),
    ('r', "ŕŗř"),
    ('s', "śŝşšșß"),
    ('t', "ţťŧț"),
    ('w', "ŵ"),
    ('z', "źżž"),
    ('æ', "ǽ"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_folded_to_one_form() {
        for (text, expected) in [
            ("ÉŁódź", "elodz"),
            ("Đừng", "dung"),
            ("İçin", "icin"),
            ("Ёлка", "елка"),
            ("أنا", "انا"),
            ("ＡＢ１", "ab0"),
            ("it\u{2019}s", "it's"),
            ("हँस", "हंस"),
        ] {
            let folded: String = text
                .chars()
                .map(fold)
                .filter(|folded| folded.kind != Kind::Nothing)
                .map(|folded| folded.c)
                .collect();
            assert_eq!(folded, expected, "{text}");
        }
    }

    #[test]
    fn kinds_are_those_of_the_scripts() {
        for (c, kind) in [
            ('a', Kind::Letter),
            ('ж', Kind::Letter),
            ('한', Kind::Hangul),
            ('字', Kind::Dense),
            ('ก', Kind::Dense),
            ('\u{1F602}', Kind::Sign),
            ('\u{FE0F}', Kind::Nothing),
            ('\u{3000}', Kind::Space),
            ('!', Kind::Sign),
        ] {
            assert_eq!(fold(c).kind, kind, "{c:?}");
        }
    }
}
