"""Writes the models' oracle fixtures: tiny models of Hugging Face transformers with their logits, losses and gradients.

    python3 -m venv .venv && .venv/bin/pip install -r requirements.txt     # here or anywhere
    .venv/bin/python make_models.py [case ...]                           # no case: all of them, some seconds

README.md lists the cases and what each file holds. Float32, one thread, eager attention, dropout off.
"""

import json
import platform
import shutil
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertModel,
    DebertaV2Config,
    DebertaV2ForMaskedLM,
    DebertaV2ForSequenceClassification,
    DistilBertConfig,
    DistilBertForMaskedLM,
    DistilBertForSequenceClassification,
    DistilBertModel,
    ElectraConfig,
    ElectraForMaskedLM,
    ElectraForSequenceClassification,
    ElectraModel,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    LlamaModel,
    ModernBertConfig,
    ModernBertForMaskedLM,
    ModernBertForSequenceClassification,
    ModernBertModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen2ForSequenceClassification,
    Qwen2Model,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaForSequenceClassification,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
    XLMRobertaForSequenceClassification,
    XLMRobertaModel,
    get_linear_schedule_with_warmup,
)
from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position

HERE = Path(__file__).parent
VOCAB = 60
SEED = 20241001

# Shapes. The option cases are smaller than the two plain ones, to keep the folder small.
TINY = dict(vocab_size=VOCAB, hidden_size=24, num_hidden_layers=3, num_attention_heads=3, intermediate_size=40)
SMALL = dict(vocab_size=VOCAB, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=28)
BERT = dict(max_position_embeddings=32)
# DeBERTa-v3's settings (microsoft/deberta-v3-xsmall), its 256 buckets and 512 positions scaled down.
DEBERTA = dict(
    max_position_embeddings=32,
    relative_attention=True,
    pos_att_type=['p2c', 'c2p'],
    share_att_key=True,
    norm_rel_ebd='layer_norm',
    position_buckets=8,
    max_relative_positions=-1,
    position_biased_input=False,
    type_vocab_size=0,
    pooler_hidden_act='gelu',
    pooler_dropout=0,
)

MINI = dict(vocab_size=VOCAB, hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16)
ROBERTA = dict(max_position_embeddings=24)
ELECTRA = dict(max_position_embeddings=24, embedding_size=10)
# ModernBERT's settings, scaled down. A window of 8 is blocks of 4 tokens.
MODERNBERT = dict(
    vocab_size=VOCAB,
    num_hidden_layers=2,
    num_attention_heads=2,
    hidden_size=12,
    intermediate_size=10,
    local_attention=8,
    max_position_embeddings=64,
    pad_token_id=0,
    bos_token_id=1,
    eos_token_id=2,
    cls_token_id=1,
    sep_token_id=2,
)
# Two queries share a key.
DECODER = {**MINI, 'hidden_size': 16, 'num_attention_heads': 4, 'num_key_value_heads': 2, 'pad_token_id': 0}
BARE = (
    BertModel,
    DistilBertModel,
    ElectraModel,
    LlamaModel,
    ModernBertModel,
    Qwen2Model,
    RobertaModel,
    XLMRobertaModel,
)


def bert(shape=SMALL, head=BertForSequenceClassification, **options):
    return head, BertConfig(**{**shape, **BERT, **options})


def deberta(shape=SMALL, head=DebertaV2ForSequenceClassification, **options):
    return head, DebertaV2Config(**{**shape, **DEBERTA, **options})


def roberta(shape=MINI, head=RobertaForSequenceClassification, **options):
    return head, RobertaConfig(**{**shape, **ROBERTA, **options})


def xlm_roberta(shape=MINI, head=XLMRobertaForSequenceClassification, **options):
    return head, XLMRobertaConfig(**{**shape, **ROBERTA, **options})


def electra(shape=MINI, head=ElectraForSequenceClassification, **options):
    return head, ElectraConfig(**{**shape, **ELECTRA, **options})


def distilbert(head=DistilBertForSequenceClassification, **options):
    shape = dict(vocab_size=VOCAB, dim=12, n_layers=2, n_heads=2, hidden_dim=16, max_position_embeddings=24)
    return head, DistilBertConfig(**{**shape, **options})


def modernbert(shape=MODERNBERT, head=ModernBertForSequenceClassification, **options):
    return head, ModernBertConfig(**{**shape, **options})


def llama(head=LlamaForSequenceClassification, rope=None, **options):
    rope = None if rope is None else {'rope_theta': 30.0, **rope}
    return head, LlamaConfig(**{**DECODER, 'rope_parameters': rope, **options})


def qwen2(head=Qwen2ForSequenceClassification, **options):
    return head, Qwen2Config(**{**DECODER, **options})


# case -> (model, real lengths of the batch's rows). LayerNorm's eps is 0.02 where it is varied at all: 1e-5 against 1e-12
# would hide below any tolerance. A row of 2 tokens and a row without padding are in every batch.
SHORT = [13, 7, 2, 11]
LONG = [24, 9, 2, 17]
CASES = {
    'bert-tiny': (bert(TINY), SHORT),
    'bert-options': (
        bert(
            hidden_act='gelu_new',
            layer_norm_eps=0.02,
            type_vocab_size=3,
            num_labels=3,
            classifier_dropout=0.2,
            pad_token_id=5,
        ),
        SHORT,
    ),
    'bert-relu': (bert(hidden_act='relu', pad_token_id=None), SHORT),
    'bert-regression': (bert(hidden_act='silu', num_labels=1), SHORT),
    'bert-mlm': (bert(head=BertForMaskedLM), SHORT),
    'bert-mlm-untied': (bert(head=BertForMaskedLM, hidden_act='relu', tie_word_embeddings=False), SHORT),
    'bert-model': (bert(head=BertModel), SHORT),
    'deberta-tiny': (deberta(TINY), LONG),
    'deberta-nobuckets': (deberta(position_buckets=-1, hidden_act='relu'), LONG),
    'deberta-maxrelative': (deberta(position_buckets=-1, max_relative_positions=10), LONG),
    'deberta-c2p': (deberta(pos_att_type=['c2p'], position_buckets=6, max_relative_positions=20), LONG),
    'deberta-p2c': (deberta(pos_att_type=['p2c'], position_buckets=7), LONG),
    'deberta-nopos': (deberta(pos_att_type=[]), SHORT),
    'deberta-noshare': (deberta(share_att_key=False), LONG),
    'deberta-noshare-c2p': (deberta(share_att_key=False, pos_att_type=['c2p']), LONG),
    'deberta-noshare-p2c': (deberta(share_att_key=False, pos_att_type=['p2c']), LONG),
    'deberta-nonorm': (deberta(norm_rel_ebd='none', layer_norm_eps=0.02), LONG),
    'deberta-absolute': (
        deberta(
            position_biased_input=True,
            type_vocab_size=2,
            embedding_size=12,
            hidden_act='gelu_new',
            num_labels=3,
            pad_token_id=5,
        ),
        LONG,
    ),
    'deberta-conv': (deberta(conv_kernel_size=3, conv_act='gelu'), LONG),  # microsoft/deberta-v2-xlarge's
    'deberta-conv-options': (deberta(conv_kernel_size=5, conv_groups=2, norm_rel_ebd='none'), LONG),  # conv_act: tanh
    # The scale still counts pos_att_type, and the encoder's LayerNorm exists without a use.
    'deberta-norelative': (deberta(relative_attention=False, position_biased_input=True), SHORT),
    'deberta-tanh-pooler': (deberta(pooler_hidden_act='tanh', cls_dropout=0.3), LONG),
    'deberta-long': (deberta(), [48, 9, 2, 33]),  # beyond max_position_embeddings: the log buckets clamp
    'deberta-published': (deberta(), LONG),
    'deberta-mlm': (deberta(head=DebertaV2ForMaskedLM, embedding_size=12), LONG),
    'deberta-mlm-new': (deberta(head=DebertaV2ForMaskedLM, legacy=False), LONG),
}

# The later families. Their seeds come after the others', which stay as they were.
BLOCKS = [27, 2, 22]  # blocks of 4, the last one of 3
ALTERNATING = {**MODERNBERT, 'num_hidden_layers': 4}  # global, local, local, global
LATER_CASES = {
    'roberta-tiny': (roberta(), SHORT),
    'roberta-options': (
        roberta(hidden_act='relu', layer_norm_eps=0.02, type_vocab_size=1, num_labels=3, pad_token_id=5),
        SHORT,
    ),
    'roberta-regression': (roberta(num_labels=1, classifier_dropout=0.2), SHORT),
    'roberta-mlm': (roberta(head=RobertaForMaskedLM, hidden_act='relu'), SHORT),
    'roberta-mlm-untied': (roberta(head=RobertaForMaskedLM, tie_word_embeddings=False, num_hidden_layers=1), SHORT),
    'roberta-model': (roberta(head=RobertaModel), SHORT),
    'xlmroberta-tiny': (xlm_roberta(type_vocab_size=1), SHORT),
    'xlmroberta-mlm': (xlm_roberta(head=XLMRobertaForMaskedLM), SHORT),
    'xlmroberta-model': (xlm_roberta(head=XLMRobertaModel), SHORT),
    'distilbert-tiny': (distilbert(), SHORT),
    'distilbert-options': (
        distilbert(activation='relu', num_labels=3, pad_token_id=5, sinusoidal_pos_embds=True),
        SHORT,
    ),
    'distilbert-mlm': (distilbert(head=DistilBertForMaskedLM, activation='relu'), SHORT),
    'distilbert-mlm-untied': (distilbert(head=DistilBertForMaskedLM, tie_word_embeddings=False, n_layers=1), SHORT),
    'distilbert-model': (distilbert(head=DistilBertModel), SHORT),
    'electra-tiny': (electra(), SHORT),
    'electra-options': (
        electra(
            hidden_act='relu',
            embedding_size=12,
            layer_norm_eps=0.02,
            type_vocab_size=3,
            num_labels=3,
            pad_token_id=5,
        ),
        SHORT,
    ),
    'electra-mlm': (electra(head=ElectraForMaskedLM, hidden_act='relu'), SHORT),
    'electra-mlm-untied': (electra(head=ElectraForMaskedLM, tie_word_embeddings=False, num_hidden_layers=1), SHORT),
    'electra-model': (electra(head=ElectraModel), SHORT),
    'modernbert-tiny': (modernbert(ALTERNATING), BLOCKS),
    'modernbert-short': (modernbert(), [11, 7, 2, 9]),  # up to 12 tokens one window holds the text
    'modernbert-local': (  # the last layer local; an odd window; one block
        modernbert(layer_types=['full_attention', 'sliding_attention'], local_attention=11),
        [17, 2, 16],
    ),
    'modernbert-mean': (
        modernbert(
            ALTERNATING,
            classifier_pooling='mean',
            global_attn_every_n_layers=2,
            norm_eps=0.02,
            num_labels=3,
            pad_token_id=5,
        ),
        BLOCKS,
    ),
    'modernbert-biases': (
        modernbert(
            attention_bias=True,
            mlp_bias=True,
            norm_bias=True,
            classifier_bias=True,
            hidden_activation='relu',
            classifier_activation='silu',
            global_attn_every_n_layers=2,
        ),
        BLOCKS,
    ),
    'modernbert-angles': (
        modernbert(
            num_labels=1,
            rope_parameters={
                'full_attention': {'rope_type': 'default', 'rope_theta': 40.0},
                'sliding_attention': {'rope_type': 'default', 'rope_theta': 9.0},
            },
        ),
        BLOCKS,
    ),
    'modernbert-published': (modernbert(global_rope_theta=90.0, local_rope_theta=20.0), BLOCKS),
    'modernbert-mlm': (modernbert(head=ModernBertForMaskedLM), BLOCKS),
    'modernbert-mlm-untied': (
        modernbert(head=ModernBertForMaskedLM, tie_word_embeddings=False, decoder_bias=False),
        BLOCKS,
    ),
    'modernbert-model': (modernbert(head=ModernBertModel), BLOCKS),
}

# Decoders. Texts are longer than `max_position_embeddings` where positions are stretched.
STRETCHED = dict(max_position_embeddings=16, hidden_size=32)
DECODER_CASES = {
    'llama-tiny': (llama(), SHORT),
    'llama-options': (
        llama(
            head_dim=6,
            num_key_value_heads=1,
            attention_bias=True,
            mlp_bias=True,
            hidden_act='gelu',
            rms_norm_eps=0.02,
            num_labels=3,
            pad_token_id=5,
        ),
        SHORT,
    ),
    'llama-regression': (llama(num_labels=1, num_key_value_heads=None), SHORT),
    'llama-nopad': (llama(pad_token_id=None), [9]),
    'llama-left': (llama(), [-13, -7, -2, -11]),  # padded on the left
    'llama-theta': (llama(rope={'rope_type': 'default', 'rope_theta': 50.0}), SHORT),
    'llama-linear': (llama(rope={'rope_type': 'linear', 'factor': 3.0}, **STRETCHED), LONG),
    'llama-dynamic': (llama(rope={'rope_type': 'dynamic', 'factor': 2.0}, **STRETCHED), LONG),
    'llama-dynamic-short': (llama(rope={'rope_type': 'dynamic', 'factor': 2.0}, **STRETCHED), SHORT),
    'llama-llama3': (
        llama(
            rope={
                'rope_type': 'llama3',
                'factor': 8.0,
                'low_freq_factor': 1.0,
                'high_freq_factor': 4.0,
                'original_max_position_embeddings': 40,
            },
            **STRETCHED,
        ),
        LONG,
    ),
    'llama-yarn': (
        llama(
            rope={
                'rope_type': 'yarn',
                'factor': 4.0,
                'beta_fast': 4,
                'beta_slow': 1,
                'original_max_position_embeddings': 16,
            },
            **STRETCHED,
        ),
        LONG,
    ),
    'llama-yarn-options': (
        llama(
            rope={
                'rope_type': 'yarn',
                'factor': 4.0,
                'beta_fast': 3,
                'mscale': 1.5,
                'mscale_all_dim': 0.7,
                'truncate': False,
                'original_max_position_embeddings': 16,
            },
            **STRETCHED,
        ),
        LONG,
    ),
    'llama-published': (
        llama(rope={'rope_type': 'llama3', 'factor': 8.0, 'low_freq_factor': 1.0, 'high_freq_factor': 4.0,
                    'original_max_position_embeddings': 40}, **STRETCHED),
        LONG,
    ),
    'llama-lm': (llama(head=LlamaForCausalLM, tie_word_embeddings=True), SHORT),
    'llama-lm-untied': (llama(head=LlamaForCausalLM, num_key_value_heads=1), SHORT),
    'llama-model': (llama(head=LlamaModel), SHORT),
    'qwen2-tiny': (qwen2(use_sliding_window=True, sliding_window=5, max_window_layers=1), LONG),
    'qwen2-listed': (
        qwen2(use_sliding_window=True, sliding_window=4, layer_types=['sliding_attention', 'full_attention']),
        SHORT,
    ),
    'qwen2-published': (qwen2(sliding_window=5, max_window_layers=1), LONG),  # no window: use_sliding_window is false
    'qwen2-lm': (qwen2(head=Qwen2ForCausalLM, tie_word_embeddings=True), SHORT),
    'qwen2-lm-untied': (qwen2(head=Qwen2ForCausalLM, num_key_value_heads=4), SHORT),
    'qwen2-model': (qwen2(head=Qwen2Model), SHORT),
}


def randomise(model, generator, std):
    """Every parameter random, biases and norms too, so that no term can go missing unseen."""
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if 'norm' in name.lower() and name.endswith('weight'):
            parameter.data = 1 + 0.2 * noise
        else:
            parameter.data = (0.1 if name.endswith('bias') else std) * noise


def named_parameters(model):
    """Tied ones once, under the name that save_pretrained writes."""
    tied = model.all_tied_weights_keys
    return [(name, p) for name, p in model.named_parameters(remove_duplicate=False) if name not in tied]


def make_model(model_class, config, generator, std):
    model = model_class._from_config(config, attn_implementation='eager').eval()
    randomise(model, generator, std)
    return model


def make_batch(config, lengths, generator):
    """Right-padded rows (on the left where lengths are negative), the padding id inside a row once (its lookup gets no
    gradient), each token type in use."""
    B, T = len(lengths), max(abs(length) for length in lengths)
    padding = config.pad_token_id if config.pad_token_id is not None else 0
    mask = (torch.arange(T) < torch.tensor(lengths).abs()[:, None]).long()  # (B, T)
    mask = mask.flip(1) if lengths[0] < 0 else mask
    ids = torch.randint(6, VOCAB, (B, T), generator=generator)
    ids[0, 3] = padding
    type_count = getattr(config, 'type_vocab_size', None)
    types = torch.randint(0, max(1, type_count or 0), (B, T), generator=generator)
    return {
        'input_ids': torch.where(mask == 1, ids, padding),
        'attention_mask': mask,
        **({} if type_count is None else {'token_type_ids': types * mask}),
    }


def make_labels(model, config, batch, generator):
    B = len(batch['input_ids'])
    if type(model).__name__.endswith('LM'):
        chosen = (torch.rand(batch['input_ids'].shape, generator=generator) < 0.4) & (batch['attention_mask'] == 1)
        words = torch.randint(0, VOCAB, chosen.shape, generator=generator)
        return torch.where(chosen, words, -100)  # transformers' ignored index
    if config.num_labels == 1:
        return torch.randn(B, generator=generator)
    return torch.randint(0, config.num_labels, (B,), generator=generator)


def mean_pooling(hidden, mask):
    weights = mask[:, :, None].float()  # (B, T, 1)
    return (hidden * weights).sum(1) / weights.sum(1)  # (B, E)


def run(model, batch, generator):
    """The model's outputs and scalar loss. The bare model's loss is its mean pooling times a fixed projection, summed."""
    if not isinstance(model, BARE):
        batch['labels'] = make_labels(model, model.config, batch, generator)
        output = model(**batch)
        return {'logits': output.logits, 'loss': output.loss}
    hidden = model(**batch).last_hidden_state
    pooled = mean_pooling(hidden, batch['attention_mask'])
    projection = torch.randn(pooled.shape, generator=generator)
    loss = (pooled * projection).sum()
    return {'last_hidden_state': hidden, 'mean_pooled': pooled, 'projection': projection, 'loss': loss}


def gradients(model):
    """grad.<name> of every parameter, zero where the parameter has no use in this configuration."""
    return {
        f'grad.{name}': torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        for name, parameter in named_parameters(model)
    }


def idle_parameters(model):
    """The names to compare absolutely: without a use here, or with a gradient that is zero but for rounding (a bias
    of the keys adds the same to all of a query's scores, and softmax takes it out again)."""
    norms = {name: None if p.grad is None else p.grad.norm().item() for name, p in named_parameters(model)}
    largest = max(norm for norm in norms.values() if norm is not None)
    return {
        'unused_parameters': [name for name, norm in norms.items() if norm is None],
        'zero_gradients': [name for name, norm in norms.items() if norm is not None and norm < 1e-6 * largest],
    }


def save_tensors(path, tensors):
    save_file({name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}, path)


def save_meta(folder, seed, **more):
    versions = {
        'python': platform.python_version(),
        'torch': torch.__version__,
        'transformers': transformers.__version__,
    }
    (folder / 'meta.json').write_text(json.dumps({**versions, 'seed': seed, **more}, indent=2) + '\n')


def fresh_folder(name):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def write_case(name, seed):
    (model_class, config), lengths = {**CASES, **LATER_CASES, **DECODER_CASES}[name]
    generator = torch.Generator().manual_seed(seed)
    model = make_model(model_class, config, generator, std=0.25)
    batch = make_batch(config, lengths, generator)
    output = run(model, batch, generator)
    output['loss'].backward()
    folder = fresh_folder(name)
    model.save_pretrained(folder)
    if name in PUBLISHED:
        publish(folder, model_class, batch, output['logits'], **PUBLISHED[name])
    save_tensors(folder / 'expected.safetensors', {**batch, **output, **gradients(model)})
    save_meta(folder, seed, **idle_parameters(model))
    print(f'{name}: loss {output["loss"].item():.4f}')


# What published files have in place of the fields that transformers 5 writes.
PUBLISHED = {
    'deberta-published': dict(
        left_out=['legacy', 'tie_word_embeddings', 'pad_token_id'],  # defaults
        written={'pos_att_type': 'p2c|c2p'},
    ),
    'modernbert-published': dict(  # jhu-clsp/ettin-encoder-*
        left_out=['layer_types', 'rope_parameters', 'tie_word_embeddings'],
        written={'global_attn_every_n_layers': 3, 'global_rope_theta': 90.0, 'local_rope_theta': 20.0},
    ),
    'llama-published': dict(  # meta-llama/Llama-3.1-*
        left_out=['rope_parameters', 'tie_word_embeddings', 'mlp_bias', 'head_dim'],
        written={
            'rope_theta': 30.0,
            'rope_scaling': {
                'type': 'llama3',
                'factor': 8.0,
                'low_freq_factor': 1.0,
                'high_freq_factor': 4.0,
                'original_max_position_embeddings': 40,
            },
        },
    ),
    'qwen2-published': dict(  # Qwen/Qwen2.5-*
        left_out=['layer_types', 'rope_parameters', 'tie_word_embeddings'],
        written={'rope_theta': 10000.0, 'sliding_window': 5},
    ),
}


def publish(folder, model_class, batch, logits, left_out, written):
    """Rewrites config.json in its published form."""
    config = json.loads((folder / 'config.json').read_text())
    left_out = ['architectures', 'dtype', 'transformers_version', *left_out]
    config = {key: value for key, value in config.items() if key not in left_out and value is not None}
    (folder / 'config.json').write_text(json.dumps({**config, **written}, indent=2) + '\n')
    again = model_class.from_pretrained(folder, attn_implementation='eager').eval()
    batch = {key: value for key, value in batch.items() if key != 'labels'}
    assert torch.equal(again(**batch).logits, logits), 'the published form of the config reads differently'


# Fifty steps: AdamW as PyTorch has it, on rows labelled by whether token 7 occurs, in every third place from 1 on.
STEPS, BATCH, LENGTH, CUE = 50, 8, 12, 7
STEPS_CASES = {
    'steps50-bert': bert({**SMALL, 'hidden_size': 24, 'num_attention_heads': 3}),
    'steps50-deberta': deberta({**SMALL, 'hidden_size': 24, 'num_attention_heads': 3}),
}
LATER_STEPS_CASES = {
    'steps50-roberta': roberta(SMALL),
    'steps50-modernbert': modernbert({**ALTERNATING, 'hidden_size': 24}, local_attention=4),
}
DECODER_STEPS_CASES = {'steps50-qwen2': qwen2()}


def make_steps_batch(config, generator):
    lengths = torch.randint(2, LENGTH + 1, (BATCH,), generator=generator)
    lengths[0] = LENGTH
    batch = make_batch(config, lengths.tolist(), generator)
    labels = torch.arange(BATCH) % 2
    ids = batch['input_ids']
    ids[ids == CUE] = CUE + 1
    cued = (labels == 1)[:, None] & (torch.arange(LENGTH) % 3 == 1) & (batch['attention_mask'] == 1)
    ids[cued] = CUE
    return {**batch, 'labels': labels}


def write_steps(name, seed):
    model_class, config = {**STEPS_CASES, **LATER_STEPS_CASES, **DECODER_STEPS_CASES}[name]
    generator = torch.Generator().manual_seed(seed)
    model = make_model(model_class, config, generator, std=0.2)
    folder = fresh_folder(name)
    model.save_pretrained(folder)
    without_decay = [p for p in model.parameters() if p.dim() == 1]  # biases and norms
    with_decay = [p for p in model.parameters() if p.dim() > 1]
    groups = [{'params': with_decay, 'weight_decay': 0.1}, {'params': without_decay, 'weight_decay': 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.999), eps=1e-8)
    schedule = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=10, num_training_steps=60)
    batches = [make_steps_batch(config, generator) for _ in range(STEPS)]
    rows = []  # (loss, gradient norm before clipping, learning rate) of each step
    for batch in batches:
        loss = model(**batch).loss
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        rows.append((loss.item(), norm.item(), schedule.get_last_lr()[0]))
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    losses, norms, rates = (torch.tensor(column) for column in zip(*rows))
    stacked = {key: torch.stack([batch[key] for batch in batches]) for key in batches[0]}
    curve = {'losses': losses, 'grad_norms': norms, 'learning_rates': rates}
    save_tensors(folder / 'batches.safetensors', {**stacked, **curve})
    save_meta(folder, seed)
    print(f'{name}: loss {losses[:10].mean():.4f} -> {losses[-10:].mean():.4f}, norm up to {norms.max():.2f}')


def write_log_buckets():
    """make_log_bucket_position of the distances 0, 1, 2, ... for some (buckets, positions); it is odd in the distance."""
    shapes = [(256, 512, 2048), (8, 32, 64), (7, 32, 64), (6, 20, 64), (64, 512, 1024)]
    tables = [
        {
            'bucketSize': size,
            'maxPosition': positions,
            'buckets': make_log_bucket_position(torch.arange(span), size, positions).long().tolist(),
        }
        for size, positions, span in shapes
    ]
    for table in tables:
        span = len(table['buckets'])
        negative = make_log_bucket_position(-torch.arange(span), table['bucketSize'], table['maxPosition']).long()
        assert (-negative).tolist() == table['buckets'], 'not odd'
    lines = ',\n'.join('  ' + json.dumps(table) for table in tables)
    (HERE / 'log-buckets.json').write_text(f'[\n{lines}\n]\n')


WRITERS = {
    **{name: write_case for name in CASES},
    **{name: write_steps for name in STEPS_CASES},
    **{name: write_case for name in LATER_CASES},
    **{name: write_steps for name in LATER_STEPS_CASES},
    **{name: write_case for name in DECODER_CASES},
    **{name: write_steps for name in DECODER_STEPS_CASES},
}

if __name__ == '__main__':
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    for name in sys.argv[1:] or WRITERS:
        WRITERS[name](name, SEED + list(WRITERS).index(name))
    write_log_buckets()
