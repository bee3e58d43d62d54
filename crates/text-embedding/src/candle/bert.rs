//! BERT's encoder (Devlin et al., 2019), inference only.

use candle_core::{D, DType, Device, Tensor};
use candle_nn::{
    Embedding, LayerNorm, Linear, Module, VarBuilder, embedding, layer_norm, linear, ops::softmax_last_dim,
};

use super::folder::Config;
use crate::Result;

type Loaded<T> = candle_core::Result<T>;

#[derive(Debug)]
pub(super) struct Bert {
    words: Embedding,
    /// One row for each position.
    positions: Tensor,
    /// The row of the first segment; sentence embeddings know no second.
    segment: Tensor,
    norm: LayerNorm,
    layers: Vec<Layer>,
}

impl Bert {
    /// Reads the weights from a safetensors file's bytes, with or without the `bert.` prefix.
    pub(super) fn load(config: &Config, weights: Vec<u8>) -> Result<Self> {
        let root = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)?;
        let prefixed = root.contains_tensor("bert.embeddings.word_embeddings.weight");
        let root = if prefixed { root.pp("bert") } else { root };
        let vb = root.pp("embeddings");
        let width = config.hidden_size;
        let words = vb.pp("word_embeddings").get_unchecked("weight")?;
        let layers = (0..config.num_hidden_layers)
            .map(|index| Layer::load(config, &root.pp("encoder.layer").pp(index)))
            .collect::<Loaded<_>>()?;
        Ok(Self {
            words: Embedding::new(words, width),
            positions: embedding(
                config.max_position_embeddings,
                width,
                vb.pp("position_embeddings"),
            )?
            .embeddings()
            .clone(),
            segment: vb
                .pp("token_type_embeddings")
                .get_unchecked("weight")?
                .narrow(0, 0, 1)?,
            norm: layer_norm(width, config.layer_norm_eps, vb.pp("LayerNorm"))?,
            layers,
        })
    }

    /// Hidden states (texts, tokens, width) of token ids (texts, tokens), none of which is padding.
    pub(super) fn forward(&self, ids: &Tensor) -> Loaded<Tensor> {
        let tokens = ids.dim(1)?;
        let positions = self.positions.narrow(0, 0, tokens)?;
        let mut hidden = self
            .words
            .forward(ids)?
            .broadcast_add(&positions)?
            .broadcast_add(&self.segment)?;
        hidden = self.norm.forward(&hidden)?;
        for layer in &self.layers {
            hidden = layer.forward(&hidden)?;
        }
        Ok(hidden)
    }
}

#[derive(Debug)]
struct Layer {
    heads: usize,
    query: Linear,
    key: Linear,
    value: Linear,
    attended: Linear,
    attended_norm: LayerNorm,
    up: Linear,
    down: Linear,
    norm: LayerNorm,
}

impl Layer {
    fn load(config: &Config, vb: &VarBuilder<'_>) -> Loaded<Self> {
        let width = config.hidden_size;
        let attention = vb.pp("attention");
        let square = |name: &str| linear(width, width, attention.pp(name));
        let up = vb.pp("intermediate.dense");
        let weight = up.get_unchecked("weight")?;
        let inner = weight.dim(0)?;
        Ok(Self {
            heads: config.num_attention_heads,
            query: square("self.query")?,
            key: square("self.key")?,
            value: square("self.value")?,
            attended: square("output.dense")?,
            attended_norm: layer_norm(width, config.layer_norm_eps, attention.pp("output.LayerNorm"))?,
            up: Linear::new(weight, Some(up.get(inner, "bias")?)),
            down: linear(inner, width, vb.pp("output.dense"))?,
            norm: layer_norm(width, config.layer_norm_eps, vb.pp("output.LayerNorm"))?,
        })
    }

    fn forward(&self, hidden: &Tensor) -> Loaded<Tensor> {
        let attended = self.attended.forward(&self.attention(hidden)?)?;
        let hidden = self.attended_norm.forward(&(hidden + attended)?)?;
        let inner = self.up.forward(&hidden)?.gelu_erf()?;
        self.norm.forward(&(&hidden + self.down.forward(&inner)?)?)
    }

    fn attention(&self, hidden: &Tensor) -> Loaded<Tensor> {
        let (texts, tokens, width) = hidden.dims3()?;
        let size = width / self.heads;
        let by_head = |linear: &Linear| {
            let projected = linear.forward(hidden)?;
            projected
                .reshape((texts, tokens, self.heads, size))?
                .transpose(1, 2)?
                .contiguous()
        };
        let scores = by_head(&self.query)?.matmul(&by_head(&self.key)?.transpose(D::Minus1, D::Minus2)?)?;
        let shares = softmax_last_dim(&(scores / (size as f64).sqrt())?)?;
        let context = shares.matmul(&by_head(&self.value)?)?;
        context.transpose(1, 2)?.reshape((texts, tokens, width))
    }
}
