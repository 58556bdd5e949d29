"""The web service, and what workers share with it. One room a feature; `main` and `cli` join them."""
