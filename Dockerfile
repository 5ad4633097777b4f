# The hosted demo (Hugging Face Space, sdk: docker) and any other container host.
FROM python:3.11-slim

# The Space runs as user 1000 on an ephemeral disk.
RUN useradd --create-home --uid 1000 visitor
USER visitor
WORKDIR /home/visitor/explorer

# A CPU-only host may pass --build-arg PIP_EXTRA_INDEX_URL with an index of CPU builds of torch.
ARG PIP_EXTRA_INDEX_URL
COPY --chown=visitor requirements.txt .
RUN python -m venv /home/visitor/venv && /home/visitor/venv/bin/pip install --no-cache-dir -r requirements.txt
COPY --chown=visitor . .

# A hosted instance builds what strangers type: within a budget, and from no folder of the server.
ENV EXPLORER_HOSTED=1 EXPLORER_MAX_PARAMS=700000000
EXPOSE 8501
CMD ["/home/visitor/venv/bin/streamlit", "run", "app.py", "--server.port=8501", "--server.address=0.0.0.0", "--server.headless=true"]
