"""Who we ask: adapters to model servers and stores. The only importer of httpx."""
