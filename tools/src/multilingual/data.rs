//! Examples: a text and what a careful reader makes of it, as far as it is known.

use whisperengine_emotion::multilingual::lanes::{DANGER, LATIN};
use whisperengine_types::PrimaryEmotion;

/// A text to learn from.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The text.
    pub text: String,
    /// How much it counts.
    pub weight: f32,
    /// What is to be learned of it.
    pub targets: Targets,
}

/// What is known of a text; the model learns nothing from what is `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Targets {
    /// A share for each primary emotion; they add up to 1.
    pub primary: Option<[f32; PrimaryEmotion::COUNT]>,
    /// `-1..=1`.
    pub valence: Option<f32>,
    /// `0..=1`.
    pub arousal: Option<f32>,
    /// Probability of concern or crisis.
    pub concern: Option<f32>,
    /// Probability of crisis.
    pub crisis: Option<f32>,
    /// Which danger: 0 to oneself, 1 by somebody else, 2 to somebody's health.
    pub danger: Option<usize>,
    /// Number among the languages in Latin script; the one after the last stands for any other.
    pub language: Option<usize>,
}

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: wrong {column}")]
pub struct DataError {
    /// The line, from 1.
    pub line: usize,
    /// Which column is wrong.
    pub column: &'static str,
}

impl Example {
    /// Reads rows of tab-separated columns: weight, language, thirteen shares with commas between them, valence,
    /// arousal, concern, crisis, danger, text. `-` stands for what is not known, `\n` in the text for a line break.
    ///
    /// # Errors
    /// [`DataError`] for the first row that is not so.
    pub fn from_tsv(rows: &str) -> Result<Vec<Self>, DataError> {
        let rows = rows.lines().enumerate();
        rows.map(|(index, row)| {
            Self::parse(row).map_err(|column| DataError {
                line: index + 1,
                column,
            })
        })
        .collect()
    }

    fn parse(row: &str) -> Result<Self, &'static str> {
        let mut columns = row.splitn(9, '\t');
        let mut next = |name: &'static str| columns.next().ok_or(name);
        let weight = next("weight")?.parse().map_err(|_| "weight")?;
        let language = match next("language")? {
            "-" => None,
            code => Some(
                LATIN
                    .iter()
                    .position(|&known| known == code)
                    .unwrap_or(LATIN.len()),
            ),
        };
        let primary = match next("shares")? {
            "-" => None,
            shares => {
                let shares: Vec<f32> = shares
                    .split(',')
                    .map(str::parse)
                    .collect::<Result<_, _>>()
                    .map_err(|_| "shares")?;
                Some(shares.try_into().map_err(|_| "shares")?)
            }
        };
        let mut number = |name: &'static str| match next(name)? {
            "-" => Ok(None),
            value => value.parse().map(Some).map_err(|_| name),
        };
        Ok(Self {
            weight,
            targets: Targets {
                primary,
                valence: number("valence")?,
                arousal: number("arousal")?,
                concern: number("concern")?,
                crisis: number("crisis")?,
                danger: number("danger")?
                    .map(|danger| danger as usize)
                    .filter(|&danger| danger < DANGER.len()),
                language,
            },
            text: next("text")?.replace("\\n", "\n"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_far_as_it_is_known() {
        let shares = ["0.5", "0.5"]
            .into_iter()
            .chain(["0"; 11])
            .collect::<Vec<_>>()
            .join(",");
        let rows = format!("2\tde\t{shares}\t-0.5\t-\t0\t-\t2\tja\\nnein\n1\t-\t-\t-\t-\t-\t-\t-\tx\ty");
        let examples = Example::from_tsv(&rows).expect("both rows are well formed");
        assert_eq!(examples[0].text, "ja\nnein");
        assert_eq!(examples[0].targets.language, Some(1));
        assert_eq!(examples[0].targets.valence, Some(-0.5));
        assert_eq!(examples[0].targets.crisis, None);
        assert_eq!(examples[0].targets.primary.map(|shares| shares[1]), Some(0.5));
        assert_eq!(
            (examples[1].text.as_str(), &examples[1].targets),
            ("x\ty", &Targets::default())
        );
    }

    #[test]
    fn a_wrong_row_is_named() {
        for (rows, line, column) in [
            ("x\t-\t-\t-\t-\t-\t-\t-\tt", 1, "weight"),
            (
                "1\t-\t-\t-\t-\t-\t-\t-\tt\n1\t-\t1,0\t-\t-\t-\t-\t-\tt",
                2,
                "shares",
            ),
            ("1\t-\t-\t-\t-\t-\t-\t-", 1, "text"),
        ] {
            assert_eq!(Example::from_tsv(rows), Err(DataError { line, column }), "{rows}");
        }
    }
}
