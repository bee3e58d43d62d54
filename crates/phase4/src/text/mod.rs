//! A message taken apart once: tokens, sentences, cues, terms and themes, shared by every module.

mod hash;
mod mask;
mod quote;
mod scan;
mod token;
mod word;

pub(crate) use hash::{Fnv, HashedMap, fingerprint, fold32, hash64, hash128};
pub(crate) use quote::{clip, keep, push_quoted};
pub(crate) use scan::{Hit, MAX_TERMS, Term, Utterance};
pub(crate) use token::{Sentence, Token, is_unspaced};
pub(crate) use word::Word;
