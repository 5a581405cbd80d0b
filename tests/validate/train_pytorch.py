"""Trains PilotNet with PyTorch in FP32 on prepared data: Adam, `dojo train`'s default schedule in runs of 134 steps
and more, batch 354. Prints one JSON line.

usage: train_pytorch.py PREPARED_FOLDER MODEL.onnx EPOCHS [SEED]
"""
import json
import sys
import time

import torch

from network import load_weights, pilotnet, prepared, r2

folder, model, epochs = sys.argv[1], sys.argv[2], int(sys.argv[3])
seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
batch, peak = 354, 3e-3
torch.manual_seed(seed)
torch.set_num_threads(2)
train_x, train_y, valid_x, valid_y = prepared(folder)
train_y, valid_y = train_y[:, :1], valid_y[:, :1]
network = pilotnet()
load_weights(network, model)
optimizer = torch.optim.AdamW(network.parameters(), lr=peak, weight_decay=0.0)
steps = epochs * (len(train_x) // batch)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak, total_steps=steps, cycle_momentum=False)
start_cpu = time.process_time()
for epoch in range(epochs):
    order = torch.randperm(len(train_x))
    for first in range(0, len(order) - batch + 1, batch):
        chosen = order[first:first + batch]
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(network(train_x[chosen]), train_y[chosen])
        loss.backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        predictions = torch.cat([network(part) for part in valid_x.split(512)])
    print(f"epoch {epoch + 1}: R2 {r2(predictions, valid_y):.4f}", file=sys.stderr)
cpu = time.process_time() - start_cpu
print(json.dumps({"r2": r2(predictions, valid_y), "frames_per_cpu_second": steps * batch / cpu, "epochs": epochs}))
